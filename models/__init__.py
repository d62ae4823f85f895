"""Feature rows → probabilities and money.

btyd, trees      BG/NBD, Pareto/NBD and Gamma-Gamma; gradient-boosted trees of churn and value
ensemble         baselines and base learners, their blend, the seasonal calibration, the intervals
horizons         other horizons, each derived from its neighbour
lifetime         customer lifetime value
scoring          the whole model: scores in batches and online, reasons, self-test
training         temporal splits; the fit: a validation fit, then a refit
artifacts        bundles of data, the MLflow registry
evaluation       metrics with bootstrap intervals
uplift           the effect of a contact
"""

STAYWORTH = "stayworth"
"""The name of our model beside its baselines, and of the registered model."""

CHAMPION = "champion"
"""The alias of the model that serves, and its name in comparisons."""
