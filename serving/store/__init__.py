"""The store of scores: one memory-mapped file that finds a customer in microseconds."""
