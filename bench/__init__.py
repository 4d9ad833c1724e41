"""Measurements against the emulated Azure; ``make bench`` prints a table of them."""
