"""Nothing opens without a policy in force, in a benchmark neither."""

from privacy.access.gate import unit_of_work
from privacy.declarations.purposes import Purpose
from privacy.policy.actions import publish_policy
from privacy.policy.roles import Actor


def put_policy_in_force() -> None:
    words = {"title": "Benchmarks", "summary": [], "sections": []}
    with unit_of_work():
        publish_policy(by=Actor.job("benchmarks"), number=1, texts={"en": words}, purposes=list(Purpose))
