"""Monitoring of the champion: feature drift, matured scores, limits and their verdict, steps of a score's change."""
