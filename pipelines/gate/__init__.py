"""The gate: numbered checks that a new model must pass before it serves."""
