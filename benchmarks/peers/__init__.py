"""The contestants of the speed benchmark, one family per file.

Each is a generator `(log, days, out)`: it names a phase when it has ended and puts its Parquet files into the folder
`out`. A file imports the standard library, its own library and benchmarks/task.py, for it may run in an environment
that has nothing else.
"""
