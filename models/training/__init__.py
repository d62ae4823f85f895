"""Fitting the model: temporal splits, the validation fit, the refit on all rows."""
