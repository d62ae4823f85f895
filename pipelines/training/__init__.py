"""The steps of a training run: data, training set, tuning, evaluation on the test window, comparison, tracking."""
