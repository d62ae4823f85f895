"""Other horizons than the one a model is made for: fitted on their own windows, predicted from their neighbours."""
