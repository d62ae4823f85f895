"""Metrics, tables, bootstrap intervals, drift and estimates."""
