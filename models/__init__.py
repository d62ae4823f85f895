"""Feature rows → probabilities and money.

who      trees (churn, value, ziln) and the opponents (baselines: bgnbd, pareto_nbd, gamma_gamma, rules)
how      timeline says which cut-offs teach, recipe how; members are fitted, blend weighs them, level follows the
         season, intervals and windows (other horizons) are learnt in a rehearsal: fitting puts it all together
what     scorer is the whole model, scoring and explain its answers; bundle keeps it as data, registry finds it
whether  metrics, profit_metrics and tables judge, with bootstrap intervals
"""

STAYWORTH = "stayworth"
"""The name of our model among its opponents, and of the registered model."""

CHAMPION = "champion"
"""The alias of the model that serves, and its name where it is judged."""
