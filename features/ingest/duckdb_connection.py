"""A DuckDB in memory that says nothing by itself."""

import duckdb


def connect(*, threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """A new one, on as many threads as the machine has cores unless told.

    DuckDB would draw a progress bar on standard output, be it a file or a pipe, once a query takes two seconds. In a
    notebook without ipywidgets it draws none, and refuses to be told so.
    """
    db = duckdb.connect(config={} if threads is None else {"threads": threads})
    if db.execute("select current_setting('enable_progress_bar')").fetchall()[0][0]:
        db.execute("set enable_progress_bar = false")
    return db
