"""The contestants of the speed benchmark, one family per file.

Each is a generator `(log, days, out)`: it yields the name of a phase when the phase has ended and writes its Parquet
files to the folder `out`. A file imports only the standard library, its own library and benchmarks/task.py, since it
may run in an environment that has nothing else.
"""
