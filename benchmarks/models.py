"""The same six texts, sealed and plain. These tables exist in the benchmarks' databases alone."""

from auditlog.models import LogEntry
from auditlog.registry import auditlog
from django.db import models
from django_cryptography.fields import encrypt
from simple_history.models import HistoricalRecords

from privacy.declarations import masks
from privacy.declarations.categories import Category
from privacy.declarations.lifetimes import Lifetime, days
from privacy.declarations.purposes import Purpose
from privacy.declarations.walls import Wall
from privacy.vault.fields import personal
from privacy.vault.identifiers import uuid7
from privacy.vault.models import Subject
from privacy.vault.records import PersonalRecord

TEXTS = ("name", "email", "phone", "street", "city", "message")


class SealedRow(PersonalRecord):
    """Six sealed texts in two categories. Destroyed with the benchmarks' databases."""

    written_at = models.DateTimeField(null=True)
    name = personal(models.CharField(max_length=120), Category.ACCOUNT, mask=masks.name)
    email = personal(models.CharField(max_length=120), Category.ACCOUNT, mask=masks.email)
    phone = personal(models.CharField(max_length=120), Category.ACCOUNT, mask=masks.phone)
    street = personal(models.CharField(max_length=120), Category.PURCHASE, mask=masks.address)
    city = personal(models.CharField(max_length=120), Category.PURCHASE, mask=masks.address)
    message = personal(models.CharField(max_length=120), Category.PURCHASE)

    lifetime = Lifetime(purposes=[Purpose.ORDER], starts="written_at", lasts=days(1))
    not_personal = {"written_at": "when"}

    class Meta:
        indexes = [models.Index("subject", "written_at", name="sealed_row_by_subject")]


class PlainRow(models.Model):
    """What the sealed row is compared with: the same shape without any protection."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="+")
    written_at = models.DateTimeField(null=True)
    name = models.CharField(max_length=120)
    email = models.CharField(max_length=120)
    phone = models.CharField(max_length=120)
    street = models.CharField(max_length=120)
    city = models.CharField(max_length=120)
    message = models.CharField(max_length=120)

    wall = Wall.STAFF

    def __str__(self) -> str:
        return str(self.pk)


class PeerRow(models.Model):
    """Never stored: the field of django-cryptography-5 whose sealing is the peer."""

    text = encrypt(models.CharField(max_length=120))

    wall = Wall.STAFF

    class Meta:
        managed = False

    def __str__(self) -> str:
        return str(self.pk)


class SealedMailbox(models.Model):
    """One of many people, found by the keyed digest of an address."""

    digest = models.BinaryField(max_length=32, unique=True)

    wall = Wall.STAFF
    not_personal = {"digest": "keyed digest of a made-up address"}

    def __str__(self) -> str:
        return str(self.pk)


class PlainMailbox(models.Model):
    """What it is compared with."""

    email = models.CharField(max_length=254, unique=True)

    wall = Wall.STAFF

    def __str__(self) -> str:
        return str(self.pk)


class Ware(models.Model):
    """Something that is written again and again, recorded in one of several ways."""

    title = models.CharField(max_length=120)
    description = models.TextField()
    price = models.IntegerField()
    on_hand = models.IntegerField()

    wall = Wall.STAFF

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.pk)


class PlainWare(Ware):
    """Recorded by nobody, or by our log."""


class WareWithLog(Ware):
    """Recorded by django-auditlog."""


class WareWithHistory(Ware):
    """Recorded by django-simple-history."""

    class History(models.Model):
        wall = Wall.STAFF

        class Meta:
            abstract = True

    history = HistoricalRecords(bases=[History])


LogEntry.wall = Wall.STAFF
auditlog.register(WareWithLog)


class ChainLink(models.Model):
    """An entry of a log whose every entry holds the hash of the one before: the design that ours is not."""

    text = models.TextField()
    hash = models.BinaryField(max_length=32)

    wall = Wall.STAFF

    def __str__(self) -> str:
        return str(self.pk)
