"""Accounts. What belongs to the person is sealed in rows beside the account, which itself names nobody."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import check_password
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from privacy.declarations import masks
from privacy.declarations.categories import Category
from privacy.declarations.lifetimes import Lifetime, days
from privacy.declarations.purposes import Purpose
from privacy.declarations.walls import ALL, Wall
from privacy.interface.areas import TokenScope
from privacy.jobs.models import HOW_FAR, JOB_FIELDS, Job
from privacy.policy.roles import STAFF_ROLES, Actor, Role
from privacy.vault.blind_index import index_key_name
from privacy.vault.fields import personal
from privacy.vault.identifiers import uuid7
from privacy.vault.models import Subject
from privacy.vault.records import PersonalRecord


class User(AbstractBaseUser):
    """An account: a person's role, password and state. Bare after closing; name and mailbox live beside it.

    The row stays when the account is closed, without password or language, so that what the account did
    keeps its meaning.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subject = models.OneToOneField(Subject, models.PROTECT, related_name="user", editable=False)
    role = models.CharField(_("role"), max_length=20, choices=Role, default=Role.CUSTOMER)
    is_active = models.BooleanField(_("may sign in"), default=True)
    locale = models.CharField(_("language"), max_length=12, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    confirmed_at = models.DateTimeField(_("mailbox confirmed at"), null=True, editable=False)
    closed_at = models.DateTimeField(_("closed at"), null=True, editable=False)
    last_login = None

    USERNAME_FIELD = "id"
    EMAIL_FIELD = "id"  # there is no address here; Django's own mail features stay unused

    objects: ClassVar[BaseUserManager[Any]] = BaseUserManager()

    wall = Wall.SUBJECT.granting(customer="SELECT, UPDATE (locale)", gate=ALL).keeping("password", to=("gate",))
    not_personal = {
        "subject": "random id of the person",
        "password": "Argon2 hash, salted; emptied when the account closes",
        "role": "one of our roles",
        "is_active": "whether sign-in is possible",
        "locale": "language chosen, shared by millions",
        "created_at": "when the account was made",
        "confirmed_at": "when the mailbox was confirmed",
        "closed_at": "when the account was closed",
    }

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")

    def __str__(self) -> str:
        return f"{self.get_role_display()} {self.pk}"

    def get_short_name(self) -> str:
        """What the staff site greets with."""
        return self.get_role_display()

    def check_password(self, raw_password: str) -> bool:
        """Whether this is the password; ``admits`` is for signing in.

        Its hash stays as it is, whatever it cost: a new one would end the sessions of the account, and beside the
        gate no login may write it.
        """
        return check_password(raw_password, self.password)

    def admits(self, raw_password: str) -> bool:
        """The same at the gate; a hash that was cheaper than those of today is replaced."""
        return super().check_password(raw_password)

    @property
    def is_staff(self) -> bool:
        return self.role in STAFF_ROLES

    @property
    def has_second_factor(self) -> bool:
        """Whether signing in takes a second factor because one was put in force; also while it is reset."""
        factor = getattr(self, "second_factor", None)
        return factor is not None and factor.confirmed_at is not None

    @property
    def needs_second_factor(self) -> bool:
        """Staff always; customers once they have put one in force."""
        return self.is_staff or self.has_second_factor

    @property
    def is_invited(self) -> bool:
        """A member of staff whose invitation is not answered yet."""
        return self.is_staff and self.confirmed_at is None and self.closed_at is None

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Never by Django's permissions: each admin page decides by its ``viewers``."""
        return False

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and self.is_staff

    @property
    def actor(self) -> Actor:
        """The person behind this account, as told to actions."""
        return Actor(Role(self.role), id=self.subject_id)


class AccountDetails(PersonalRecord):
    """Name and mailbox of a person with an account. Destroyed when the account is closed."""

    user = models.OneToOneField(User, models.CASCADE, related_name="details", editable=False)
    email = personal(models.EmailField(_("email address"), max_length=254), Category.ACCOUNT, mask=masks.email)
    name = personal(models.CharField(_("name"), max_length=120), Category.ACCOUNT, mask=masks.name)

    wall = Wall.SUBJECT.granting(customer="SELECT, UPDATE (name)", gate=ALL)
    lifetime = Lifetime(
        purposes=[Purpose.ACCOUNT, Purpose.ORDER],
        starts="user__closed_at",
        lasts=days(0),
        until=_("you close your account"),
    )
    not_personal = {"user": "the account it belongs to"}
    correctable = ("name",)  # the mailbox changes by a link mailed to it

    class Meta:
        verbose_name = _("account details")
        verbose_name_plural = _("account details")
        indexes = [models.Index(fields=["subject"], name="details_by_subject")]


class PendingMailbox(PersonalRecord):
    """An address that a person wants to use from now on, until both mailboxes have answered.

    Destroyed as soon as the change is made or called off, after a day when the new mailbox has not answered
    (``forget_unproven_changes``), and after 30 days in any case.
    """

    PROVEN_WITHIN: ClassVar = timedelta(days=1)
    OLD_MAILBOX_HAS: ClassVar = timedelta(days=14)

    user = models.ForeignKey(User, models.CASCADE, related_name="+", db_index=False, editable=False)
    email = personal(models.EmailField(_("new email address"), max_length=254), Category.ACCOUNT, mask=masks.email)
    requested_at = models.DateTimeField(_("requested at"), default=timezone.now, editable=False)
    proven_at = models.DateTimeField(_("confirmed by the new mailbox at"), null=True, editable=False)
    agreed_at = models.DateTimeField(_("agreed to by the old mailbox at"), null=True, editable=False)

    wall = Wall.SUBJECT.granting(customer="SELECT", gate=ALL)
    lifetime = Lifetime(purposes=[Purpose.ACCOUNT], starts="requested_at", lasts=days(30))
    not_personal = {
        "user": "the account it belongs to",
        "requested_at": "when",
        "proven_at": "when the link mailed to the new address was followed",
        "agreed_at": "when the link mailed to the old address was followed",
    }

    class Meta:
        verbose_name = _("new email address")
        verbose_name_plural = _("new email addresses")
        indexes = [models.Index(fields=["subject", "requested_at"], name="pending_mailbox_by_subject")]

    @property
    def prove_by(self) -> datetime:
        """The new mailbox answers before this moment, or the change is off."""
        return self.requested_at + self.PROVEN_WITHIN

    @property
    def alone_from(self) -> datetime:
        """From this moment on the change can be made without an answer from the old mailbox."""
        return self.requested_at + self.OLD_MAILBOX_HAS

    @property
    def ends_at(self) -> datetime | None:
        return self.lifetime.leaves_at(self)

    @property
    def is_over(self) -> bool:
        end = self.ends_at if self.proven_at else self.prove_by
        return end is not None and timezone.now() >= end

    @property
    def may_be_made_alone(self) -> bool:
        return self.proven_at is not None and not self.is_over and timezone.now() >= self.alone_from


class SecondFactor(PersonalRecord):
    """The shared secret of a person's authenticator app.

    Destroyed when the second factor is turned off or the account is closed, and after a day when its first code
    was never given (``forget_unfinished_factors``).
    """

    user = models.OneToOneField(User, models.CASCADE, related_name="second_factor", editable=False)
    secret = personal(models.CharField(_("authenticator secret"), max_length=64), Category.ACCOUNT, is_credential=True)
    begun_at = models.DateTimeField(_("begun at"), default=timezone.now, editable=False)
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True, editable=False)
    reset_at = models.DateTimeField(_("reset at"), null=True, editable=False)
    last_used_step = models.BigIntegerField(null=True, editable=False)

    wall = Wall.SUBJECT.granting(customer="SELECT", gate=ALL).keeping("secret", to=("gate",))
    lifetime = Lifetime(
        purposes=[Purpose.SECURITY],
        starts="user__closed_at",
        lasts=days(0),
        until=_("you turn the second step off, or close your account"),
    )
    not_personal = {
        "user": "the account it belongs to",
        "begun_at": "when the secret was made",
        "confirmed_at": "when the first code was right",
        "reset_at": "since when no code works, because the app was lost",
        "last_used_step": "half-minute of the last code, so that none works twice",
    }

    class Meta:
        verbose_name = _("second factor")
        verbose_name_plural = _("second factors")
        indexes = [models.Index(fields=["subject"], name="second_factor_by_subject")]


class RecoveryCodes(models.Model):
    """What is left of a person's recovery codes, each good for one second step without the authenticator app.

    Destroyed when new ones are issued, with the second factor, and when the account is closed.
    """

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="recovery_codes")
    salt = models.BinaryField(max_length=16)
    digests = ArrayField(models.CharField(max_length=64))
    codes_left = models.GeneratedField(
        expression=models.Func("digests", function="cardinality"), output_field=models.IntegerField(), db_persist=True
    )  # staff see how many, and not the digests
    issued_at = models.DateTimeField(default=timezone.now)

    wall = Wall.GATE.granting(staff="SELECT, DELETE").keeping("salt", "digests", to=("gate",))
    not_personal = {
        "user": "the account they belong to",
        "salt": "random",
        "digests": "Argon2id of random numbers, salted",
        "codes_left": "how many",
        "issued_at": "when",
    }

    class Meta:
        verbose_name = _("recovery codes")
        verbose_name_plural = _("recovery codes")

    def __str__(self) -> str:
        return f"{self.codes_left} recovery codes of {self.user_id}"


class MailboxIndex(models.Model):
    """Finds an account by its confirmed mailbox without opening any. Destroyed when the account is closed.

    The only table where something is unique across people: the customer's database role may not read it.
    """

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="mailbox_index")
    digest = models.BinaryField(max_length=32, unique=True)
    key_name = models.CharField(max_length=8, default=index_key_name, editable=False)

    wall = Wall.GATE.granting(staff="SELECT, DELETE").keeping("digest", to=("gate", "staff"))  # staff look an address up
    not_personal = {
        "user": "the account it belongs to",
        "digest": "keyed digest of the address; useless without the key",
        "key_name": "tells the key of the digest from another one",
    }

    class Meta:
        verbose_name = _("mailbox index")
        verbose_name_plural = _("mailbox index")

    def __str__(self) -> str:
        return f"mailbox of {self.user_id}"


class TokenQuerySet(models.QuerySet["AccountToken"]):
    def usable(self) -> TokenQuerySet:
        return self.filter(used_at=None, expires_at__gt=timezone.now(), user__is_active=True)


class AccountToken(models.Model):
    """A mailed link that works once. The link itself is stored nowhere. Destroyed a day after it expires."""

    class Kind(models.TextChoices):
        CONFIRM = "confirm", _("confirm a mailbox")
        CHANGE = "change", _("change the mailbox")
        AGREE = "agree", _("agree to another mailbox")
        REFUSE = "refuse", _("refuse another mailbox")
        RESET = "reset", _("choose a new password")
        INVITE = "invite", _("join the staff")
        ENROLL = "enroll", _("set the second step up")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=10, choices=Kind)
    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    digest = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    objects = TokenQuerySet.as_manager()

    wall = Wall.GATE.granting(staff="SELECT, DELETE").keeping("digest", to=("gate",))
    not_personal = {
        "kind": "what the link does",
        "user": "the account it belongs to",
        "digest": "SHA-256 of a random value",
        "created_at": "when",
        "expires_at": "when it stops working",
        "used_at": "when it was used",
    }

    class Meta:
        verbose_name = _("mailed link")
        verbose_name_plural = _("mailed links")

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class PasswordResetRequest(Job):
    """Somebody asked for a new password. Looked up by a worker, so that the page cannot tell who has an account.

    The digests are emptied as soon as the work is done; the row is destroyed a day later.
    """

    digests = ArrayField(models.BinaryField(max_length=32), null=True)
    locale = models.CharField(max_length=12)

    wall = Wall.GATE.granting(staff=HOW_FAR, auditor=HOW_FAR).keeping("digests", to=("gate",))
    not_personal = {
        **JOB_FIELDS,
        "digests": "keyed digests of the address typed, one a key; emptied within minutes",
        "locale": "the language of the page, shared by millions",
    }

    class Meta:
        verbose_name = _("password reset")
        verbose_name_plural = _("password resets")

    def perform(self) -> None:
        from marketplace.accounts.actions import answer_password_reset

        answer_password_reset(request=self)


def this_hour() -> datetime:
    """The moment as exactly as the use of a session is noted."""
    return timezone.now().replace(minute=0, second=0, microsecond=0)


class AccountSession(AbstractBaseSession):
    """A signed-in browser or a visitor's basket. No address, no browser name; destroyed when it expires.

    The key is stored as its SHA-256: reading this table does not let anybody take a session over.
    """

    session_key = models.CharField(max_length=64, primary_key=True)
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="sessions")
    started_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=this_hour)

    wall = Wall.GATE.granting(staff="SELECT (session_key, user_id), DELETE").keeping("session_data", to=("gate",))
    not_personal = {
        "session_key": "SHA-256 of a random value",
        "session_data": "signed random ids of account and basket, and flags",
        "expire_date": "when it ends",
        "user": "the account signed in",
        "started_at": "when it began",
        "seen_at": "the hour in which it was last used",
    }

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")

    def __str__(self) -> str:
        return f"session of {self.user_id or 'a visitor'}"

    @property
    def reference(self) -> UUID:
        """Names the session to its person: half of the digest, which opens nothing."""
        return UUID(self.session_key[:32])

    @classmethod
    def get_session_store_class(cls) -> Any:
        from marketplace.accounts.sessions import SessionStore

        return SessionStore


class ApiToken(models.Model):
    """A key with which a program of the person's acts for them, within its scopes. Destroyed when it ends.

    Shown once and stored nowhere; ``start`` is what tells it from the others. It has no name: people would write
    one that says something about them.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="api_tokens")
    start = models.CharField(_("begins with"), max_length=12)
    digest = models.BinaryField(max_length=32, unique=True)
    scopes = ArrayField(models.CharField(max_length=20, choices=TokenScope), verbose_name=_("may"))
    created_at = models.DateTimeField(_("made"), default=timezone.now)
    expires_at = models.DateTimeField(_("ends"), db_index=True)
    last_used_on = models.DateField(_("last used"), null=True)

    wall = Wall.GATE.granting(staff="SELECT (id, user_id), DELETE").keeping("digest", to=("gate",))
    not_personal = {
        "user": "the account it acts for",
        "start": "the first random characters, to tell it from others",
        "digest": "SHA-256 of a random value",
        "scopes": "what it may do",
        "created_at": "when",
        "expires_at": "when it stops working",
        "last_used_on": "the day, not the hour",
    }

    class Meta:
        verbose_name = _("token for programs")
        verbose_name_plural = _("tokens for programs")

    def __str__(self) -> str:
        return f"token {self.pk}"

    def get_scopes_display(self) -> list[str]:
        return [str(TokenScope(scope).label) for scope in self.scopes if scope in TokenScope]
