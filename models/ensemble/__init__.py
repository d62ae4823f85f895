"""The model: base learners, stacking, seasonal calibration, further horizons and intervals; and the baselines."""
