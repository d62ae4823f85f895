"""How far the intervals made of a standard deviation reach."""

Z90 = 1.2816
"""The 90th percentile of a standard normal: 80 % of it lie within so many standard deviations."""
Z95 = 1.96
"""95 % of it lie within so many."""
