"""What an offer costs and earns: formulas of profit, from one contact to the whole base."""
