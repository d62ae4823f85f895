"""A made-up shop whose truth is known: who its customers are, what they do, and what an offer changes.

Nothing here reads a real log or is read by a model; `pipelines/simulate.py` writes the shop down as any shop's files.
"""
