"""What staff fill in to ask for an act, and to decide about one (PROTECT-3)."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from privacy.access.approvals.errors import WordsName
from privacy.access.forms import StrictForm
from privacy.policy.roles import Actor
from privacy.vault.identifiers import uuid7

WORDS_MAX = 300
_NAMES_SOMEBODY = re.compile(r"@|\d(?:[ ./-]?\d){4,}")


def names_somebody(words: str) -> bool:
    """Whether words hold what may be an address, a telephone number or an account; names cannot be told from words."""
    return bool(_NAMES_SOMEBODY.search(words))


def refuse_names(words: str) -> None:
    """As ``names_somebody``, for a field of a form."""
    if names_somebody(words):
        raise ValidationError(WordsName.words)


def words_field(label: Any, **how: Any) -> forms.CharField:
    """A reason that many people may read: it names nobody."""
    return forms.CharField(
        label=label,
        min_length=4,
        max_length=WORDS_MAX,
        validators=[refuse_names],
        help_text=_("Other staff read it. Name nobody."),
        widget=forms.Textarea(attrs={"rows": 3}),
        **how,
    )


class ProposalForm(StrictForm):
    """The parameters of one kind of act, and why. The page brings the id that the proposal gets: sent twice, it is one."""

    why = words_field(_("Why"))
    proposal = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, actor: Actor, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["proposal"].initial = uuid7
        self.order_fields([name for name in self.fields if name != "why"])

    def parameters(self) -> dict[str, Any]:
        """Ids, numbers and choices; after ``is_valid()``."""
        raise NotImplementedError


class ApprovalForm(StrictForm):
    """A yes to exactly the plan on the page, which sends its fingerprint."""

    seen = forms.CharField(max_length=64, widget=forms.HiddenInput)
    submit_names = frozenset({"_approve"})


class RefusalForm(StrictForm):
    """A no, with words for whoever asked."""

    answer = words_field(_("Why not"))
    submit_names = frozenset({"_refuse"})


class WithdrawalForm(StrictForm):
    """The button is the answer."""

    submit_names = frozenset({"_withdraw"})
