"""Uplift: learners of treatment effects, their selection, calibration and policy value."""
