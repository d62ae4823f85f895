"""The store of scores: one memory-mapped file that looks up a customer in microseconds."""
