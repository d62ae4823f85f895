"""Kinds of file that a shop hands over, each as something that DuckDB can read."""
