"""Scores: for a batch or online, with reasons, and why a score changed."""
