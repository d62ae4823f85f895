"""Feature rows as of a day, and the labels that followed."""
