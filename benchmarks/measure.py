"""Measure one contestant in this process: `python -m benchmarks.measure MODULE FUNCTION TINY LOG DAYS OUT`.

The last line printed is JSON of the seconds of its phases, the CPU seconds of all its threads (which vary less on a
busy machine) and the peak memory of the process. It runs in the contestant's own environment, hence the standard
library only. A run on the tiny log beforehand loads libraries and compiled code and is not timed.
"""

import json
import resource
import sys
from datetime import date
from importlib import import_module
from pathlib import Path
from time import perf_counter, process_time

from benchmarks.task import Files


def log_in(folder: str) -> Files:
    return Files(Path(folder, "orders.parquet"), Path(folder, "interactions.parquet"))


if __name__ == "__main__":
    module, function, tiny, log, written_days, out = sys.argv[1:]
    contestant = getattr(import_module(f"benchmarks.peers.{module}"), function)
    days = [date.fromisoformat(day) for day in written_days.split(",")]
    for _ in contestant(log_in(tiny), days, Path(out)):
        pass
    seconds, start, cpu_start = {}, perf_counter(), process_time()
    for phase in contestant(log_in(log), days, Path(out)):
        end = perf_counter()
        seconds[phase], start = end - start, end
    cpu_seconds = process_time() - cpu_start
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print()  # ends what a progress bar may have begun
    total = sum(seconds.values())
    print(json.dumps({"seconds": seconds, "total": total, "cpu_seconds": cpu_seconds, "peak_mb": peak_kb / 1024}))
