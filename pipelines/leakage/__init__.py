"""The leak audit: the future removed or perturbed, labels shuffled, and features that know too much."""
