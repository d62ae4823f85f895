"""Scores over HTTP: one BentoML service behind its own guard."""
