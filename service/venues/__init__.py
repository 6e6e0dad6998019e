"""The table of venues."""
