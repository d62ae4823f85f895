"""Feature rows → probabilities and money.

timeline says which cut-offs teach; churn, value, intervals and lifetime are the parts of the model and scorer puts
them together; baselines are its opponents and metrics the judge; bundle keeps a model as data, registry finds it.
"""

STAYWORTH = "stayworth"
"""The name of our model among its opponents, and of the registered model."""

CHAMPION = "champion"
"""The alias of the model that serves, and its name where it is judged."""
