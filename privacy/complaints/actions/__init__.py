"""Everything that happens to tickets: each is one function, one transaction and one entry in the log (RIGHTS-5, RIGHTS-9)."""

from privacy.complaints.actions.canned import save_canned_reply
from privacy.complaints.actions.ending import (
    close_ticket,
    close_tickets_of,
    reopen_ticket,
    resolve_ticket,
    withdraw_ticket,
)
from privacy.complaints.actions.handling import (
    assign_ticket,
    escalate_ticket,
    refer_ticket,
    release_ticket,
    remind_of_ticket,
    stop_waiting,
    write_note,
)
from privacy.complaints.actions.opening import open_ticket
from privacy.complaints.actions.outside import (
    confirm_ticket,
    discard_ticket,
    forget_old_links,
    send_link_again,
    write_from_outside,
)
from privacy.complaints.actions.writing import ask_customer, post_message

__all__ = [
    "ask_customer",
    "assign_ticket",
    "close_ticket",
    "close_tickets_of",
    "confirm_ticket",
    "discard_ticket",
    "escalate_ticket",
    "forget_old_links",
    "open_ticket",
    "post_message",
    "refer_ticket",
    "release_ticket",
    "remind_of_ticket",
    "reopen_ticket",
    "resolve_ticket",
    "save_canned_reply",
    "send_link_again",
    "stop_waiting",
    "withdraw_ticket",
    "write_from_outside",
    "write_note",
]
