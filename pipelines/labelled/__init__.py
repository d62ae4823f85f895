"""The commands' work on a label table: one row per customer with a yes or no, and no time."""
