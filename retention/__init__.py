"""Retention in money: which customers pay to keep, with which offer, and a holdout to measure the effect."""
