"""Campaigns: the customers a plan chose, what they did, and the save rates and effects learned from it."""
