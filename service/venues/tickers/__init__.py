"""Open interest, funding and marks by venue: one file each, pure. A venue's own words stay in its file."""
