"""Simulated residents and devices: they know the hub only by its message contract."""
