"""Connect to a DuckDB in memory that prints nothing by itself."""

import duckdb


def connect(*, threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """Open a new connection. threads: as many as the machine has cores if not given.

    DuckDB would draw a progress bar on standard output, even to a file or a pipe, once a query takes two seconds. In
    a notebook without ipywidgets it draws none, and refuses the setting.
    """
    db = duckdb.connect(config={} if threads is None else {"threads": threads})
    if db.execute("select current_setting('enable_progress_bar')").fetchall()[0][0]:
        db.execute("set enable_progress_bar = false")
    return db
