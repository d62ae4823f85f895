"""Simulator of a shop whose truth is known: its customers, what they do, and what an offer changes.

Nothing here reads a real log or is read by a model; `pipelines/simulate.py` writes the files that any shop has.
"""
