"""Which side of the wall a table stands on, said once on its model (PROTECT-2)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar

ALL = "SELECT, INSERT, UPDATE, DELETE"


class Side(StrEnum):
    SUBJECT = "subject"
    THROUGH = "through"
    PUBLIC = "public"
    GATE = "gate"
    STAFF = "staff"


@dataclass(frozen=True)
class Wall:
    """What a model says of itself: ``wall = Wall.PUBLIC``.

    ``SUBJECT``: each row is about the person in ``subject_id``, and a customer's login meets its own alone.
    ``through("order")``: the row belongs to whomever the row behind that foreign key belongs to.
    ``PUBLIC``: the same for everybody; a customer's login reads it.
    ``GATE``: sessions, passwords and whatever is unique across people; no other login has a right to it.
    ``STAFF``: neither the gate nor a customer's login has a right to it.

    The other fields are the rights of each login, as SQL lists them in a GRANT; workers have them all. Give no more
    than pages need: ``Wall.PUBLIC.granting(customer="SELECT, UPDATE (reserved)")``. A customer's login changes the
    columns named and no whole row.
    """

    side: Side
    customer: str = ""
    gate: str = ""
    staff: str = ALL
    auditor: str = "SELECT"
    parent: str = ""
    author: str = ""  # a customer may also add rows about others where this column names the customer
    secret: tuple[str, ...] = ()
    told_to: tuple[str, ...] = ()

    SUBJECT: ClassVar[Wall]
    PUBLIC: ClassVar[Wall]
    GATE: ClassVar[Wall]
    STAFF: ClassVar[Wall]

    @classmethod
    def through(cls, parent: str) -> Wall:
        """``parent`` is the name of a foreign key to a walled model."""
        return replace(cls.SUBJECT, side=Side.THROUGH, parent=parent)

    def granting(self, **rights: str) -> Wall:
        """The same with other rights for the logins named."""
        return replace(self, **rights)  # type: ignore[arg-type]

    def keeping(self, *secret: str, to: tuple[str, ...]) -> Wall:
        """The same, and no login but these (and workers) reads or changes these columns, whatever its rights are."""
        return replace(self, secret=secret, told_to=to)

    @property
    def is_by_person(self) -> bool:
        return self.side in (Side.SUBJECT, Side.THROUGH)


Wall.SUBJECT = Wall(Side.SUBJECT, customer="SELECT, INSERT")
Wall.PUBLIC = Wall(Side.PUBLIC, customer="SELECT", gate="SELECT")
Wall.GATE = Wall(Side.GATE, gate=ALL, staff="", auditor="")
Wall.STAFF = Wall(Side.STAFF)
