"""Histories → one row per customer as of a day.

A customer is a sorted history; a feature is a pure function of the part of it known before `as_of`. Read in this
order:

    log, schema, sources (databases, delimited)      where the tables are and what their columns are called
    reading, clean, repeats, usable, account         every row judged, and where every cent went
    ingest, assemble (sorting, summing, netting)     rows become histories
    slices, feature, catalogue and the families      what a feature is, and all there are: recency, frequency, monetary,
                                                     rhythm, basket, crosses, calendar, interactions
    walk, kernel, borrowing                          one compiled pass over all customers and cut-offs
    snapshot, labels, leaving                        feature rows, and what followed them; who left
    buckets; spark, pieces, whole                    logs larger than memory, or than one machine
    few, request; customer                           a few customers from a request; one customer out of a log
    book, clean_books                                tables of which no feature is made: treatments, costs
"""
