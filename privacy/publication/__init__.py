"""What staff publish: who runs the shop, and the next version of the policy (CHANGE-1, CHANGE-5)."""
