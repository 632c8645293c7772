"""What people and staff fill in; a public answer and an internal note never share a form (RIGHTS-5, COLLECT-3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.core import signing
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.record import Reference
from privacy.access.forms import StrictForm
from privacy.complaints.actions.ending import OUTCOMES
from privacy.complaints.attachments import MAX_BYTES, MAX_FILES, CleanFile, clean_file
from privacy.complaints.errors import FileRefused, FileTooLarge, TooManyFiles
from privacy.complaints.models import BODY_MAX, CannedReply, Ticket

Kind = Ticket.Kind

FORM_SALT = "complaints.form"
FILLED_IN_AFTER = timedelta(seconds=3)
FILLED_IN_BEFORE = timedelta(days=1)


def body_field(label: Any, help_text: Any = "", rows: int = 7) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        max_length=BODY_MAX,
        widget=forms.Textarea(attrs={"rows": rows}),
        error_messages={"required": _("Write a few words."), "max_length": _("Please keep it under 5,000 characters.")},
    )


class FormToken(forms.UUIDField):
    """A random number that stays the same when a form is sent twice."""

    def __init__(self) -> None:
        super().__init__(widget=forms.HiddenInput, initial=uuid4)


class _ManyFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files, each cleaned by what it is. The browser's list of types only helps people to choose."""

    widget = _ManyFiles

    def __init__(self) -> None:
        super().__init__(
            label=_("Files"),
            required=False,
            help_text=_("Up to 5 pictures, PDF documents or text files, each at most 5 MB. We take out hidden details such as places."),
            widget=_ManyFiles(attrs={"accept": ".jpg,.jpeg,.png,.webp,.pdf,.txt"}),
        )

    def clean(self, data: Any, initial: Any = None) -> list[CleanFile]:
        files = [file for file in (data if isinstance(data, list) else [data]) if file]
        if len(files) > MAX_FILES:
            raise forms.ValidationError(str(TooManyFiles()))
        return [self._clean_one(number, file) for number, file in enumerate(files, 1)]

    @staticmethod
    def _clean_one(number: int, file: UploadedFile) -> CleanFile:
        try:
            if (file.size or 0) > MAX_BYTES:
                raise FileTooLarge
            return clean_file(file.name or "", file.read())
        except FileRefused as refusal:
            words = _("File %(number)d: %(why)s") % {"number": number, "why": refusal}
            raise forms.ValidationError(str(words)) from None


class MessageForm(StrictForm):
    """One more message of the person."""

    body = body_field(_("Your message"))
    files = FilesField()  # type: ignore[assignment]
    token = FormToken()


class ReopenForm(MessageForm):
    body = body_field(_("What should we look at again?"))


class NewTicketForm(MessageForm):
    """A question or complaint. ``abouts`` are the person's own things, ``entries`` log entries already known to be theirs."""

    kind = forms.ChoiceField(label=_("What is it?"), choices=Kind.choices, widget=forms.RadioSelect, initial=Kind.QUESTION)
    about = forms.ChoiceField(label=_("Is it about an order?"), required=False)
    entry = forms.TypedMultipleChoiceField(coerce=UUID, required=False, widget=forms.MultipleHiddenInput)
    field_order = ("kind", "about", "body", "files", "entry", "token")

    def __init__(self, abouts: Sequence[tuple[Reference, str]], entries: Sequence[UUID], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._abouts = {f"{about.label}:{about.id}": about for about, _words in abouts}
        choices = [(f"{about.label}:{about.id}", words) for about, words in abouts]
        self.fields["about"].choices = [("", _("No, something else")), *choices]  # type: ignore[attr-defined]
        self.fields["entry"].choices = [(str(id), str(id)) for id in entries]  # type: ignore[attr-defined]
        if not choices or entries:
            del self.fields["about"]
        if entries:
            self.fields["kind"].choices = [(Kind.MISUSE.value, Kind.MISUSE.label)]  # type: ignore[attr-defined]
            self.fields["kind"].widget = forms.HiddenInput()
            self.initial.update({"kind": Kind.MISUSE, "entry": [str(id) for id in entries]})
        else:
            del self.fields["entry"]

    @property
    def asked(self) -> dict[str, Any]:
        """What was filled in, as ``open_ticket`` takes it."""
        given = self.cleaned_data
        return {
            "kind": Kind(given["kind"]),
            "body": given["body"],
            "token": given["token"],
            "files": given["files"],
            "about": self._abouts.get(given.get("about", "")),
            "entries": given.get("entry", []),
        }


class ComplainForm(StrictForm):
    """The form of people without an account, with what tells a person from a program without asking anybody else.

    ``website`` is out of sight and stays empty; ``shown`` is our signature under when the form was shown.
    """

    kind = forms.ChoiceField(label=_("What is it?"), choices=Kind.choices, widget=forms.RadioSelect, initial=Kind.COMPLAINT)
    body = body_field(_("Your message"), _("If it is about an order, give its number. Do not send passwords or card numbers."))
    email = forms.EmailField(
        label=_("Your email address"),
        help_text=_("We send you a link first, to be sure that the answer reaches you and nobody else."),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
        error_messages={"required": _("Enter your email address."), "invalid": _("Enter an email address like name@example.com.")},
    )
    website = forms.CharField(
        label=_("Leave this empty"), required=False, widget=forms.TextInput(attrs={"tabindex": "-1", "autocomplete": "off"})
    )
    shown = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("shown", new_form_age())

    def clean_shown(self) -> UUID:
        """The random number in it, which is the same when the form is sent twice."""
        token, age = _token_and_age(self.cleaned_data["shown"])
        if token is None or age > FILLED_IN_BEFORE:
            self._renew()
            raise forms.ValidationError(_("This form was open for more than a day. Your text is still here: please send it again."))
        if age < FILLED_IN_AFTER:
            raise forms.ValidationError(_("That was very quick. Please wait three seconds and send it again; your text is still here."))
        return token

    def _renew(self) -> None:
        self.data = self.data.copy()  # type: ignore[attr-defined]
        self.data["shown"] = new_form_age()  # type: ignore[index]

    @property
    def is_by_a_program(self) -> bool:
        return bool(self.cleaned_data.get("website"))

    @property
    def written(self) -> dict[str, Any]:
        """What was filled in, as ``write_from_outside`` takes it."""
        given = self.cleaned_data
        return {"email": given["email"], "kind": Kind(given["kind"]), "body": given["body"], "token": given["shown"]}


def new_form_age() -> str:
    return signing.dumps([str(uuid4()), timezone.now().timestamp()], salt=FORM_SALT)


def token_of_form(shown: str) -> UUID | None:
    """The random number of a form that we have shown."""
    return _token_and_age(shown)[0]


def _token_and_age(shown: str) -> tuple[UUID | None, timedelta]:
    """None for what we did not sign."""
    try:
        token, shown_at = signing.loads(shown, salt=FORM_SALT)
    except signing.BadSignature:
        return None, timedelta()
    return UUID(token), timezone.now() - datetime.fromtimestamp(shown_at, UTC)


class _StaffForm(StrictForm):
    """``seen`` is the version of the ticket that the page showed."""

    token = FormToken()
    seen = forms.IntegerField(widget=forms.HiddenInput)


class ReplyForm(_StaffForm):
    """What the person reads."""

    canned = forms.ModelChoiceField(CannedReply.objects.none(), label=_("Prepared answer"), required=False)
    body = body_field(_("Answer"), rows=8)
    submit_names = frozenset({"_reply", "_ask", "_use"})
    field_order = ("canned", "body", "seen", "token")

    def __init__(self, replies: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["canned"].queryset = replies  # type: ignore[attr-defined]


class ResolveForm(_StaffForm):
    """The answer for good, with its outcome."""

    outcome = forms.ChoiceField(label=_("Outcome"))
    body = body_field(_("Answer"), rows=6)
    submit_names = frozenset({"_resolve"})
    field_order = ("outcome", "body", "seen", "token")

    def __init__(self, kind: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["outcome"].choices = [("", "---------"), *_outcomes(OUTCOMES[kind])]  # type: ignore[attr-defined]


def _outcomes(allowed: Iterable[Ticket.Outcome]) -> list[tuple[str, Any]]:
    return [(outcome.value, outcome.label) for outcome in allowed]


class NoteForm(StrictForm):
    """What the person does not read now."""

    body = body_field(_("Note"), rows=4)
    token = FormToken()
    submit_names = frozenset({"_note"})


class FileForm(StrictForm):
    """The purpose and the reason for which staff open a file, as given when they opened the conversation."""

    attachment = forms.UUIDField(widget=forms.HiddenInput)
    purpose = forms.CharField(max_length=20, widget=forms.HiddenInput)
    reason = forms.CharField(min_length=4, max_length=300, widget=forms.HiddenInput)
    submit_names = frozenset({"_file"})


class ReviewForm(StrictForm):
    """Which of the looks that a person complains about is to be judged."""

    look = forms.UUIDField(widget=forms.HiddenInput)
    submit_names = frozenset({"_review"})
