"""Accounts. What belongs to the person is sealed in rows beside the account, which itself names nobody."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from privacy.declarations import masks
from privacy.declarations.categories import Category
from privacy.declarations.lifetimes import Lifetime, days
from privacy.declarations.purposes import Purpose
from privacy.jobs.models import JOB_FIELDS, Job
from privacy.policy.roles import STAFF_ROLES, Actor, Role
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

    @property
    def is_staff(self) -> bool:
        return self.role in STAFF_ROLES

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
    """An address that a person wants to use from now on, until its mail is answered. Destroyed after a day."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+", db_index=False, editable=False)
    email = personal(models.EmailField(_("new email address"), max_length=254), Category.ACCOUNT, mask=masks.email)
    requested_at = models.DateTimeField(_("requested at"), default=timezone.now, editable=False)

    lifetime = Lifetime(purposes=[Purpose.ACCOUNT], starts="requested_at", lasts=days(1))
    not_personal = {"user": "the account it belongs to", "requested_at": "when"}

    class Meta:
        verbose_name = _("new email address")
        verbose_name_plural = _("new email addresses")
        indexes = [models.Index(fields=["subject", "requested_at"], name="pending_mailbox_by_subject")]


class SecondFactor(PersonalRecord):
    """The shared secret of a person's authenticator app. Destroyed when the account is closed."""

    user = models.OneToOneField(User, models.CASCADE, related_name="second_factor", editable=False)
    secret = personal(models.CharField(_("authenticator secret"), max_length=64), Category.ACCOUNT)
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True, editable=False)
    last_used_step = models.BigIntegerField(null=True, editable=False)

    lifetime = Lifetime(
        purposes=[Purpose.SECURITY],
        starts="user__closed_at",
        lasts=days(0),
        until=_("you close your account"),
    )
    not_personal = {
        "user": "the account it belongs to",
        "confirmed_at": "when the first code was right",
        "last_used_step": "half-minute of the last code, so that none works twice",
    }

    class Meta:
        verbose_name = _("second factor")
        verbose_name_plural = _("second factors")
        indexes = [models.Index(fields=["subject"], name="second_factor_by_subject")]


class MailboxIndex(models.Model):
    """Finds an account by its confirmed mailbox without opening any. Destroyed when the account is closed.

    The only table where something is unique across people: the customer's database role may not read it.
    """

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="mailbox_index")
    digest = models.BinaryField(max_length=32, unique=True)

    not_personal = {
        "user": "the account it belongs to",
        "digest": "keyed digest of the address; useless without the key",
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
        RESET = "reset", _("choose a new password")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=10, choices=Kind)
    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    digest = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    objects = TokenQuerySet.as_manager()

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

    The digest is emptied as soon as the work is done; the row is destroyed a day later.
    """

    digest = models.BinaryField(max_length=32, null=True)
    locale = models.CharField(max_length=12)

    not_personal = {
        **JOB_FIELDS,
        "digest": "keyed digest of the address typed; emptied within minutes",
        "locale": "the language of the page, shared by millions",
    }

    class Meta:
        verbose_name = _("password reset")
        verbose_name_plural = _("password resets")

    def perform(self) -> None:
        from marketplace.accounts.actions import answer_password_reset

        answer_password_reset(request=self)


class AccountSession(AbstractBaseSession):
    """A signed-in browser or a visitor's basket. No address, no browser name; destroyed when it expires.

    The key is stored as its SHA-256: reading this table does not let anybody take a session over.
    """

    session_key = models.CharField(max_length=64, primary_key=True)
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="sessions")
    started_at = models.DateTimeField(default=timezone.now)

    not_personal = {
        "session_key": "SHA-256 of a random value",
        "session_data": "signed random ids of account and basket, and flags",
        "expire_date": "when it ends",
        "user": "the account signed in",
        "started_at": "when it began",
    }

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")

    def __str__(self) -> str:
        return f"session of {self.user_id or 'a visitor'}"

    @classmethod
    def get_session_store_class(cls) -> Any:
        from marketplace.accounts.sessions import SessionStore

        return SessionStore
