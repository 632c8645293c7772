"""What guests' links tell the rooms below when the site starts."""

from __future__ import annotations

from orders.guests.actions import forget_answered_lookups, forget_guest_links, people_looking_up
from orders.guests.links import forget_old_links
from orders.guests.mails import mailbox_of_guest, register_guest_mails
from privacy.access.gate import register_ground
from privacy.declarations.purposes import Purpose
from privacy.mail.templates import register_mailbox
from privacy.retention.registry import register_cleanup
from privacy.rights.erasure import register_step


def register_guests() -> None:
    register_guest_mails()
    register_mailbox(mailbox_of_guest)
    register_ground(Purpose.RIGHTS, people_looking_up)
    register_step("guest_links", forget_guest_links)
    register_cleanup("guests' links", forget_old_links)
    register_cleanup("order look-ups", forget_answered_lookups)
