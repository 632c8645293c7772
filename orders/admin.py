"""Import list of the staff pages; each lives in the folder of its duty."""

from orders.catalogue import admin as catalogue
from orders.lifecycle import admin as lifecycle

__all__ = ["catalogue", "lifecycle"]
