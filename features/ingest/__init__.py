"""Reading tables: sources, cleaning, deduplication, and a reconciliation of every row and cent."""
