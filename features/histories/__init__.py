"""Sorted histories: order totals, refund matching, contract ends, and the columns they are kept in."""
