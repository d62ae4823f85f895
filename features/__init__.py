"""Histories → one row per customer as of a day.

A customer is a sorted history; a feature is a pure function of the part of it known before `as_of`. Read in this
order: schema, sources, clean, ingest (a log becomes histories), feature and the families, walk and kernel (the
compiled pass), snapshot (features), labels (what followed).
"""
