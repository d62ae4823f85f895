"""Logs larger than memory: buckets on disk, partitions on Spark."""
