"""What no history tells of a gain: how far what a kept customer truly adds is from what comparable customers show.

Whoever is kept would have been silent, so what they do next is seen in nobody, however long the log: more data does not
narrow it, readouts do. The true gain is the one by comparables (models/keeping/fit_keeping.py) times a factor, taken
to be log-normal. Its centre and spread are measured over simulated worlds, whose truth is known, by `python -m
benchmarks keeping`. A prior from cases alike: Gelman et al., Bayesian Data Analysis, 3rd ed., chapter 5.
"""

CENTRE = 0.85
"""The median of the factor: what is told is what comparables show times this."""
SPREAD = 0.25
"""Standard deviation of its log."""
