"""What is unusual when staff open people's data; each finding raises an alert, none twice for the same fact (PROTECT-2, USE-3).

Rules see ids, moments and roles. The one that compares whole names opens them for the purpose SECURITY, under a grant of
this job's own that is logged like any other, and keeps keyed digests of them in memory while it runs, nothing else. The
one for family names and streets opens nothing: it counts the marks that were made when staff read them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from uuid import UUID

from django.conf import settings
from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils import timezone

from audit.events import Event
from audit.identifiers import first_uuid7
from audit.models import Entry
from audit.record import Reference
from privacy.access.oversight.models import ReadTrait
from privacy.access.oversight.names import name_digests
from privacy.access.oversight.queries import looks_since
from privacy.alerts.actions import raise_alert
from privacy.alerts.models import Alert, AlertKind
from privacy.policy.roles import STAFF_ROLES
from privacy.vault.models import Subject

DAY = timedelta(days=1)
USUAL = timedelta(days=30)
UNUSUAL_SHARE = 0.1

Who = tuple[UUID, str]
"""A member of staff, and the role in which they acted."""


@dataclass(frozen=True)
class Look:
    """One opening, as far as rules see it."""

    id: UUID
    actor_id: UUID
    role: str
    subject_id: UUID
    at: datetime

    @property
    def who(self) -> Who:
        return self.actor_id, self.role


def looks_between(since: datetime, until: datetime) -> list[Look]:
    """What staff opened of others in this time, oldest first."""
    found = looks_since(since).filter(opened_at__lte=until).order_by("opened_at")
    return [Look(*values) for values in found.values_list("pk", "actor_id", "role", "subject_id", "opened_at")]


# Numbers


def raise_volume(looks: Sequence[Look], until: datetime) -> None:
    """Somebody opened several times as many people in the last 24 hours as on the median day of the last 30.

    What is usual is the larger of their own median and their role's: neither a part-time day nor a busy desk is
    unusual by itself. Days without openings do not count as days.
    """
    if not looks:
        return
    today = _people_by_who(looks_between(until - DAY, until))
    usual = Usual.before(until - DAY)
    for who in {look.who for look in looks}:
        most = max(settings.OPENINGS_UNUSUAL_AT_LEAST - 1, settings.OPENINGS_UNUSUAL_TIMES * usual.of(who))
        if len(today[who]) > most:
            _raise_daily(AlertKind.VOLUME, who, len(today[who]), until)


def _people_by_who(looks: Iterable[Look]) -> Mapping[Who, set[UUID]]:
    people: defaultdict[Who, set[UUID]] = defaultdict(set)
    for look in looks:
        people[look.who].add(look.subject_id)
    return people


@dataclass(frozen=True)
class Usual:
    """How many people somebody, and somebody in a role, opened on each day of 30."""

    own: Mapping[Who, list[int]]
    by_role: Mapping[str, list[int]]

    @classmethod
    def before(cls, moment: datetime) -> Usual:
        looks = looks_since(moment - USUAL).filter(opened_at__lte=moment).annotate(day=TruncDate("opened_at")).order_by()
        own: defaultdict[Who, list[int]] = defaultdict(list)
        by_role: defaultdict[str, list[int]] = defaultdict(list)
        for actor_id, role, _day, people in looks.values_list("actor_id", "role", "day").annotate(
            people=Count("subject_id", distinct=True)
        ):
            own[actor_id, role].append(people)
            by_role[role].append(people)
        return cls(own, by_role)

    def of(self, who: Who) -> float:
        return max(median(self.own.get(who) or [0]), median(self.by_role.get(who[1]) or [0]))


# Hours


def raise_hours(looks: Sequence[Look], until: datetime) -> None:
    """Somebody opened people's data outside working time, at an hour at which they usually do not.

    An hour is usual once they have worked in it on several of the last 30 days.
    """
    odd = [look for look in looks if not _is_working_time(look.at)]
    if not odd:
        return
    usual = _usual_hours({look.actor_id for look in odd}, until)
    unusual = Counter(look.who for look in odd if timezone.localtime(look.at).hour not in usual[look.actor_id])
    for who, number in unusual.items():
        raise_alert(kind=AlertKind.HOURS, actor_id=who[0], role=who[1], count=number)


def _is_working_time(at: datetime) -> bool:
    start, end = settings.OPENINGS_WORKING_HOURS
    return start <= timezone.localtime(at).hour < end


def _usual_hours(actor_ids: Iterable[UUID], until: datetime) -> Mapping[UUID, set[int]]:
    earlier = looks_since(until - USUAL).filter(actor_id__in=list(actor_ids), opened_at__lte=until - DAY)
    days: defaultdict[tuple[UUID, int], set[object]] = defaultdict(set)
    for actor_id, at in earlier.values_list("actor_id", "opened_at").iterator():
        local = timezone.localtime(at)
        days[actor_id, local.hour].add(local.date())
    usual: defaultdict[UUID, set[int]] = defaultdict(set)
    for (actor_id, hour), dates in days.items():
        if len(dates) >= settings.OPENINGS_USUAL_AFTER_DAYS:
            usual[actor_id].add(hour)
    return usual


# Cases


def raise_ended_cases(since: datetime, until: datetime) -> None:
    """Somebody tried to open a person's data for a case whose part for them was over; the gate refused it."""
    refused = Entry.objects.filter(pk__gte=first_uuid7(since), at__gt=since, at__lte=until, event=Event.DATA_REFUSED, outcome="case_ended")
    refused = refused.filter(actor_role__in=STAFF_ROLES, actor_id__isnull=False).order_by()
    attempts = Counter(refused.values_list("actor_id", "actor_role", "case_label", "case_id"))
    for (actor_id, role, label, id), number in attempts.items():
        about = Reference(label, id) if id else None
        raise_alert(kind=AlertKind.ENDED_CASE, about=about, actor_id=actor_id, role=role, count=number)


# Whose data


def raise_colleagues(looks: Sequence[Look]) -> None:
    """Somebody opened the data of another member of staff."""
    staff = set(Subject.objects.filter(pk__in={look.subject_id for look in looks}, kind=Subject.Kind.STAFF).values_list("pk", flat=True))
    _raise_each(AlertKind.COLLEAGUE, (look for look in looks if look.subject_id in staff))


def raise_own_names(looks: Sequence[Look]) -> None:
    """Somebody opened a customer who has their own name."""
    names = name_digests({id for look in looks for id in (look.subject_id, look.actor_id)})
    named = (look for look in looks if look.actor_id in names)
    _raise_each(AlertKind.OWN_RECORD, (look for look in named if names[look.actor_id] == names.get(look.subject_id)))


def raise_shared_traits(until: datetime) -> None:
    """Within 24 hours somebody read several people with one family name, or in one street.

    Who reads many meets a common name several times: it has to be a tenth of all whom they opened, too.
    """
    people = _people_by_who(looks_between(until - DAY, until))
    for who, number in _most_alike(until).items():
        if number >= max(settings.OPENINGS_SAME_NAME_AT_LEAST, UNUSUAL_SHARE * len(people[who])):
            _raise_daily(AlertKind.SHARED_TRAIT, who, number, until)


def _most_alike(until: datetime) -> Mapping[Who, int]:
    """Of how many people each member of staff read the same trait at most."""
    read = ReadTrait.objects.filter(pk__gte=first_uuid7(until - DAY), read_at__gt=until - DAY, read_at__lte=until)
    alike = read.order_by().values("actor_id", "role", "kind", "mark").annotate(people=Count("subject_id", distinct=True))
    most: Counter[Who] = Counter()
    for actor_id, role, people in alike.values_list("actor_id", "role", "people"):
        most[actor_id, role] = max(most[actor_id, role], people)
    return most


# Alerts


def _raise_each(kind: AlertKind, looks: Iterator[Look]) -> None:
    """One alert for each pair of a member of staff and a person."""
    for (actor_id, role, subject_id), number in Counter((look.actor_id, look.role, look.subject_id) for look in looks).items():
        raise_alert(kind=kind, subject_id=subject_id, actor_id=actor_id, role=role, count=number)


def _raise_daily(kind: AlertKind, who: Who, number: int, until: datetime) -> None:
    """Once within 24 hours, also when the alert has been closed meanwhile: it is still the same day's number."""
    actor_id, role = who
    if not Alert.objects.filter(kind=kind, actor_id=actor_id, role=role, raised_at__gt=until - DAY).exists():
        raise_alert(kind=kind, actor_id=actor_id, role=role, count=number)
