"""A table or a query of a PostgreSQL database by URL: `postgresql://USER@HOST:PORT/BASE#ROWS`.

ROWS is everything after the first `#`, as written; only the query made of it is sent to the server:

    #orders                     a table or view on the user's search path
    #sales.orders               one in a schema
    #sales."Order lines"        a name with characters other than letters, digits, _, $ and - in double quotes
    #select * from orders ...   a query: it begins with select, with or values

Table names are taken with their capitals: `#Orders` is the table "Orders". The password stands in PGPASSWORD, in
~/.pgpass, or in the URL as USER:PASSWORD@, where @ / # and % are written %40 %2F %23 and %25; it is never shown.

Every reading is one snapshot in a read-only transaction. Rows come in the order the server gives them. Only a table
can be changed, in one transaction.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pyarrow as pa

from features.errors import InputError, nearest

BATCH_BYTES = 4 << 20
"""About how much of a table is in memory at once."""

TEXT = r"(?:[^%@:/?#\s]|%(?!00)[0-9A-Fa-f]{2})*"
SECRET = r"(?:[^%@/#\s]|%(?!00)[0-9A-Fa-f]{2})*"
HOST = r"(?:\[[0-9A-Fa-f:.]+\]|(?:[^%@:/?#\s,]|%2[Ff])*)(?::\d*)?"
ADDRESS = re.compile(
    rf"(?P<address>(?P<scheme>postgres(?:ql)?)://(?:(?P<user>{TEXT})(?::{SECRET})?@)?"
    rf"(?P<place>{HOST}(?:,{HOST})*(?:/{TEXT})?)(?:\?(?:[^%#\s]|%(?!00)[0-9A-Fa-f]{{2}})*)?)(?:#(?P<rows>.*))?",
    re.DOTALL,
)
"""The addresses that libpq reads, and no others: a stray character of a password must not pass for a host name."""

NAME = r'(?:"(?:[^"]|"")+"|[\w$-]+)'
TABLE = re.compile(rf"(?:{NAME}\.)?{NAME}")
QUERY = re.compile(r"\s*(?:select|with|values)\b", re.IGNORECASE)

KEPT = {"text", "varchar", "bool", "int2", "int4", "int8", "float4", "float8"}
TIMES = {"date", "timestamp", "timestamptz"}


def is_url(where: str) -> bool:
    """True for a URL of any scheme, False for a path.

    >>> is_url("postgresql://host/shop#orders"), is_url("visits/*.parquet")
    (True, False)
    """
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", where) is not None


def redacted(url: str) -> str:
    """A URL fit to be shown: without its password and settings; only its scheme if we cannot read it.

    >>> redacted("postgresql://ann:secret@host/shop?sslmode=require#orders")
    'postgresql://ann@host/shop#orders'
    >>> redacted("postgresql://ann:se/cret@host/shop#orders")
    'postgresql://…'
    """
    match = ADDRESS.fullmatch(url)
    if not match or (match["rows"] is not None and not _query(match["rows"])):
        return f"{url.partition('://')[0]}://…"
    user = f"{match['user']}@" if match["user"] else ""
    rows = " ".join((match["rows"] or "").split())
    short = rows if len(rows) <= 60 else f"{rows[:59]}…"
    return f"{match['scheme']}://{user}{match['place']}" + (f"#{short}" if short else "")


@contextmanager
def read_batches(url: str) -> Iterator[pa.RecordBatchReader]:
    """Read the rows that a URL names, of one snapshot, BATCH_BYTES at a time; raises InputError if that fails.

    text, varchar, bool, integers and floats keep their types; date arrives as date, timestamp as naive microseconds
    and timestamptz as UTC microseconds, null where infinite; everything else as text: numeric and money with every
    digit, char(n) without its padding, uuid and enums as the server writes them. A row that the server cannot give
    raises where it is read, and InputError at the end of the `with`.
    """
    where = redacted(url)
    address, query = _parse(url)
    driver = _driver(where)
    connection = _connect(driver, address, where=where)
    failures: list[Exception] = []
    with connection, connection.cursor() as cursor:
        try:
            reader = _execute(cursor, query, where=where)
        except driver.Error as error:
            remedy = "Correct what follows # in the URL."
            if error.sqlstate == "42P01" and query.startswith("table "):
                remedy = _remedy(connection, query)
            raise InputError(f"cannot be read: {_server_message(error)}", where=where, next=remedy) from None
        try:
            yield pa.RecordBatchReader.from_batches(reader.schema, _keep_failures(reader, failures, driver.Error))
        finally:
            if failures:
                raise InputError(
                    f"cannot be read to its end: {_server_message(failures[0])}",
                    where=where,
                    next="Correct the query or the row; if the server went away, run it again.",
                ) from None


@contextmanager
def change_table(url: str) -> Iterator[tuple[Any, str]]:
    """A cursor and the SQL name of a URL's table; all is kept if the block succeeds, else nothing.

    Each statement sees what others had committed before it. Raises InputError for a URL that names a query, and for
    what the server refuses.
    """
    where = redacted(url)
    address, query = _parse(url)
    if not query.startswith("table "):
        raise InputError("names a query, not a table", where=where, next="End the URL with #TABLE or #SCHEMA.TABLE.")
    driver = _driver(where)
    with _connect(driver, address, where=where) as connection, connection.cursor() as cursor:
        try:
            cursor.execute("set transaction isolation level read committed, read write")
            cursor.execute("set local client_encoding = 'UTF8'")
            yield cursor, query.removeprefix("table ")
            connection.commit()
        except driver.Error as error:
            raise InputError(
                f"cannot be written: {_server_message(error)}",
                where=where,
                next="Nothing was changed. Correct the table or the rights of its user, or name another table after #.",
            ) from None


def _connect(driver: ModuleType, address: str, *, where: str) -> Any:
    """A new connection, in a transaction."""
    try:
        return driver.connect(address)
    except driver.Error as error:
        raise InputError(
            f"cannot connect: {_server_message(error)}",
            where=where,
            next="Check user, host, port and database; the password stands in the URL, PGPASSWORD or ~/.pgpass.",
        ) from None


def _parse(url: str) -> tuple[str, str]:
    """The address that libpq connects to, and the query to send."""
    scheme = url.partition("://")[0]
    if scheme not in ("postgresql", "postgres"):
        raise InputError(
            f"'{scheme}' is not a kind of database we read",
            where=redacted(url),
            next="Give postgresql://USER@HOST/BASE#TABLE, files, or objects: s3://, gs:// or az://.",
        )
    match = ADDRESS.fullmatch(url)
    if not match:
        raise InputError(
            "is not an address",
            where=redacted(url),
            next="Write postgresql://USER:PASSWORD@HOST:PORT/BASE#TABLE, and @ / # % in a password as %40 %2F %23 %25.",
        )
    query = _query(match["rows"] or "")
    if not query:
        raise InputError(
            "names no rows" if not match["rows"] else "what follows # is neither a table nor a query that reads",
            where=redacted(url),
            next="End the URL with #TABLE, #SCHEMA.TABLE or #SELECT …",
        )
    return match["address"], query


def _query(rows: str) -> str:
    """The query for `rows`, the name of a table or a query; empty if it is neither."""
    if TABLE.fullmatch(rows):
        names = [name if name.startswith('"') else _named(name) for name in re.findall(NAME, rows)]
        return f"table {'.'.join(names)}"
    return rows.strip().rstrip(";") if QUERY.match(rows) else ""


def _driver(where: str) -> ModuleType:
    try:
        from adbc_driver_postgresql import dbapi
    except ModuleNotFoundError:
        raise InputError(
            "the driver of PostgreSQL is not installed",
            where=where,
            next="Install it: pip install 'stayworth[postgres]'",
        ) from None
    return dbapi


def _execute(cursor: Any, query: str, *, where: str) -> pa.RecordBatchReader:
    """Send the query; the server casts to text the types that the driver would return as bytes."""
    cursor.execute("set transaction isolation level repeatable read, read only")
    cursor.execute("set local client_encoding = 'UTF8'")
    cursor.execute("set local synchronize_seqscans = off")  # the same table, the same order
    schema = cursor.adbc_execute_schema(query)
    twins = sorted({name for name in schema.names if schema.names.count(name) > 1})
    if twins:
        raise InputError(f"two columns are named '{twins[0]}'", where=where, next="Rename one: … as other_name.")
    cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(BATCH_BYTES)})
    cursor.execute(f"select {', '.join(_column_sql(field) for field in schema)} from ({query}\n) as source")
    return cursor.fetch_record_batch()


def _column_sql(column: pa.Field) -> str:
    """SQL: a column in the type it should arrive in; the driver names its PostgreSQL type in the metadata."""
    name = _named(column.name)
    kind = (column.metadata or {}).get(b"POSTGRESQL:type", b"").decode()
    if kind in KEPT:
        return name
    if kind in TIMES:
        return f"case when isfinite({name}) then {name} end as {name}"
    return f"{name}{'::numeric' if kind == 'money' else ''}::text as {name}"


def _named(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _keep_failures(
    reader: pa.RecordBatchReader, failures: list[Exception], error: type[Exception]
) -> Iterator[pa.RecordBatch]:
    """Pass the batches on and keep any error: DuckDB would return only its text."""
    try:
        yield from reader
    except (error, pa.ArrowException, OSError) as failure:
        failures.append(failure)
        raise


def _remedy(connection: Any, query: str) -> str:
    """A hint for a table that does not exist: the nearest name, or a list of the existing ones."""
    connection.rollback()
    with connection.cursor() as cursor:
        cursor.execute("""
            select oid::regclass::text from pg_class
            where relkind in ('r', 'p', 'v', 'm', 'f')
                  and relnamespace::regnamespace::text !~ '^(pg_|information_schema$)'
            order by 1""")
        tables = [name for (name,) in cursor.fetchall()]
    hint = nearest(query.removeprefix("table ").replace('"', ""), tables)
    listed = ", ".join(tables[:10]) + (", …" if len(tables) > 10 else "")
    return f"Name one that exists: {hint or listed or 'this database has no tables.'}"


def _server_message(error: Exception) -> str:
    """The message of the server, without the additions of driver and statement."""
    text = str(error)
    message = re.search(r"(?:ERROR|FATAL):\s+(.*)", text) or re.match(
        r"(?:[A-Z_]+: )?(?:\[libpq\] )?(?:Failed to connect: )?(.*)", text
    )
    return message[1].strip() if message else text
