"""Gradient-boosted trees of churn and value, on one machine or on Spark."""
