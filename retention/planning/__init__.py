"""The retention plan: selection, assignment of offers, holdout, limits, suppression, and the archive of plans."""
