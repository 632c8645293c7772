"""Goods on their way: packing, the carrier, delivery."""
