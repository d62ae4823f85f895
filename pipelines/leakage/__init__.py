"""The leak audit: the future removed or poisoned, labels shuffled, and features that know too much."""
