"""Deduplication: rows that stand in two files or exports are kept once.

A row is kept as many times as in the source that has it most often; identical rows within one source are kept. A
source is a file, or a value of the column `source` in it. The copy that was recorded first stays.
"""

import duckdb

REPEATED = "stands in another file or export"
CONTENT = {
    "orders": "customer_id, order_id, product_id, at_us, micros, margin_micros",
    "interactions": "customer_id, at_us, kind, value",
    "treatments": "customer_id, at_us, campaign, offer, treated, micros",
    "costs": "customer_id, at_us, kind, micros",
}
"""The columns that are equal in two copies of a row."""


def mark_repeated_rows(db: duckdb.DuckDBPyConnection, table: str, *, has_source: bool) -> None:
    """Make the table `repeated_<table>` (file, row), and give those rows their reason in `rows_<table>`."""
    source = "source" if has_source else "null::text"
    spans = db.sql(
        f"select min(at_us), max(at_us) from rows_{table} where reason is null group by file, {source} order by 1"
    ).fetchall()
    begin, end = _shared_extent(spans)
    db.execute(f"""
        create temp table repeated_{table} as
        with numbered as (
            select *, row_number() over (partition by {CONTENT[table]}, file, {source} order by known_us, row) as copy
            from rows_{table} where reason is null and at_us between {begin} and {end}
        ), ranked as (
            select *, row_number() over (
                partition by {CONTENT[table]}, copy order by known_us, file, {source}, row) as place
            from numbered
        )
        select file, row from ranked where place > 1""")
    if db.sql(f"select 1 from repeated_{table} limit 1").fetchall():
        db.execute(f"""
            alter view rows_{table} rename to judged_{table};
            create temp view rows_{table} as
            select judged.* replace (if(repeated.row is not null, '{REPEATED}', reason) as reason)
            from judged_{table} as judged left join repeated_{table} as repeated using (file, row)""")


def _shared_extent(spans: list[tuple[int, int]]) -> tuple[int, int]:
    """The extent of all times that more than one of the spans covers; spans by their begin. Empty: begin > end.

    >>> _shared_extent([(1, 5), (4, 9), (10, 12)])
    (4, 5)
    """
    begin, end, last = 1, 0, None
    for first, final in spans:
        if last is not None and first <= last:
            begin = first if begin > end else begin
            end = max(end, min(final, last))
        last = final if last is None else max(last, final)
    return begin, end
