"""Histories → one row per customer as of a day.

A customer is a sorted history; a feature is a pure function of the part of it known before `as_of`. Read the rooms in
this order:

    ingest      log, schema, table_source, read_options: the tables, their columns, how they are read; sources,
                input_files, formats, postgresql, csv_checks bring them into DuckDB, notation into one plain form;
                reading, table_checks, cleaning, deduplication, usable_rows judge every row; mistakes finds what looks
                wrong with an export; reconciliation accounts for every cent; build_histories turns rows into histories.
                side_tables and customers_table read tables of which no feature is made
    histories   columns: the sorted arrays; assemble builds them (counting_sort, order_totals, refund_matching);
                contract_ends counts leavers; order_frames gives flat frames to analyses
    kernel      slices, feature: the arguments and the decorator of a feature; compiled_pass, code_generation: one
                compiled pass over all customers and cut-offs (pass_arguments, numba_views)
    families    catalogue: all features, by family: recency, frequency, monetary, regularity, basket, ratios, calendar,
                interactions
    snapshots   snapshot: feature rows; labels: what followed them; churn_horizon, rfm_quintiles
    large_logs  buckets: logs larger than memory; spark, partitions, merge: larger than one machine
    online      request, request_columns, feature_rows: the customers of a request; one_customer: one out of a log

Beside them: errors, clock, arrays, atomic_files, audit_log.
"""
