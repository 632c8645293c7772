"""The kinds of work that sign in to the database by a role of their own (PROTECT-2)."""

from enum import StrEnum


class Login(StrEnum):
    """Each is a role that is member of no other, so that no SQL on one's connection becomes another."""

    GATE = "gate"  # sessions, sign-in, and public pages while nobody is signed in
    CUSTOMER = "customer"  # one person's own rows, behind the wall
    STAFF = "staff"
    AUDITOR = "auditor"  # reads
    WORKER = "worker"
    OWNER = "owner"  # migrations
