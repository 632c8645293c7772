"""Import list of the staff pages; each lives in the folder of its duty."""

from orders.catalogue import admin as catalogue
from orders.lifecycle import admin as lifecycle
from orders.lifecycle import dashboard
from orders.rates import admin as rates
from orders.withdrawals import admin as withdrawals
from orders.withdrawals import dashboard as withdrawal_cards

__all__ = ["catalogue", "dashboard", "lifecycle", "rates", "withdrawal_cards", "withdrawals"]
