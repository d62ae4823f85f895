"""Batches of scores: the files one run of `score` writes, and the ledger that keeps every batch."""
