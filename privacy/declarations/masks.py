"""What a sealed value shows instead of itself (PROTECT-4).

A mask is a constant of the field, so that it tells nothing about the value, its length included.
"""

name = "••••• •••••"
email = "•••••@•••••"
phone = "+•• ••• ••••"
address = "•••••••••"
text = "••••••"
reference = "••••-••••"
