"""Feature rows of a few customers: those of a request, or one customer of a log."""
