"""Every action of the product, called: what it needs, how it is called, and which entries that writes.

One list for three checks (`test_actions.py`): no marked value is left anywhere in clear, an entry that cannot be
written undoes everything, and exactly these entries are written. An action that is missing here fails them.

To add an action, add a function to the module of its part::

    @call(confirm_order, writes=[Event.ORDER_CONFIRMED, Event.MESSAGE_QUEUED])
    def confirmed():
        order = received()                                            # what it needs, by the actions
        by = actor(Role.SUPPORT)
    return lambda: confirm_order(by=by, order=order)   # the call itself; it is made more than once

An action that is a step of another is named beside it: ``@call(confirm_order, announce, writes=...)``; the check looks
that it was really reached. Whatever a person types is a marked value (`tests/rules/canaries.py`).
"""

from tests.rules.calls import accounts, duties, oversight, shop
from tests.rules.calls.table import CALLS, Call, Keeps

__all__ = ["CALLS", "Call", "Keeps", "accounts", "duties", "oversight", "shop"]
