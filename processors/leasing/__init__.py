"""Leases: which setpoints a verdict needs, and what the devices confirmed of them."""
