"""Feature rows of a few customers: from a request, or of one customer out of a log."""
