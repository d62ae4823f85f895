"""Counting models of buying till you die (BTYD): BG/NBD, Pareto/NBD, Gamma-Gamma."""
