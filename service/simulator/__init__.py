"""Local venue servers that speak the real protocols and play tapes, with faults to order."""
