"""A table or a query of PostgreSQL is read whole, exact, as one snapshot, and only read."""

import subprocess
import sys
import time
from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import InputError
from features.ingest import postgresql
from features.ingest.postgresql import BATCH_BYTES, is_url, read_batches

dbapi = pytest.importorskip("adbc_driver_postgresql.dbapi", reason="needs the extra [postgres]")


@pytest.fixture(scope="session")
def big(server, tell):
    """A table of 400,000 rows, some 20 MB."""
    tell(
        "create table big as select i, 'customer ' || i % 1000 as customer_id, i * 0.01 as amount, "
        "timestamptz '2020-01-01' + i * interval '1 s' as ordered_at from generate_series(1, 400000) as i"
    )
    return f"{server}#big"


def read(url):
    with read_batches(url) as reader:
        return reader.read_all()


def test_urls_are_told_from_paths():
    assert all(map(is_url, ["postgresql://h/b#t", "postgres:///b", "mysql://h/b", "s3://b/f.csv", "a+b.c-d://"]))
    assert not any(map(is_url, ["orders.csv", "/a/b", "visits/*.parquet", "C:\\orders.csv", "C:/o", "a b://c", ""]))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("orders", [["00123", date(2020, 1, 1), "19.99"], ["ann", date(2020, 2, 3), "-5.00"]]),
        ("public.orders", [["00123", date(2020, 1, 1), "19.99"], ["ann", date(2020, 2, 3), "-5.00"]]),
        ("sales.orders", [["other"]]),
        ('sales."orders"', [["other"]]),
        ('"Late orders"', [["ann", date(2020, 2, 3), "-5.00"]]),
        ("Orders", [[2]]),
        ("select", [[3]]),
        ("select amount from orders where customer_id like 'a%' -- the last", [["-5.00"]]),
        ("\n  SELECT count(*)\n  FROM orders;\n", [[2]]),
        ("with two as (select 2 as n) select n, '#' as mark from two", [[2, "#"]]),
        ("values (1), (2)", [[1], [2]]),
        ("select customer_id from orders order by amount", [["ann"], ["00123"]]),
        ("select * from orders where false", []),
    ],
)
def test_a_table_a_view_or_a_query_is_read(shop, rows, expected):
    assert [list(row.values()) for row in read(f"{shop}#{rows}").to_pylist()] == expected


def test_odd_names_of_tables_and_columns_are_quoted(shop):
    assert read(f'{shop}#"odd ""table"".name-#@/;"').to_pylist() == [{'odd "column";': 1}]


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("'00123'::text", pa.string(), "00123"),
        ("'00123'::varchar(9)", pa.string(), "00123"),
        ("'00123'::char(9)", pa.string(), "00123"),
        ("'äß漢🙂'::text", pa.string(), "äß漢🙂"),
        ("''::text", pa.string(), ""),
        ("null::text", pa.string(), None),
        ("'6f1c8a34-0b5e-4f6e-9d1b-1d2c3b4a5968'::uuid", pa.string(), "6f1c8a34-0b5e-4f6e-9d1b-1d2c3b4a5968"),
        ("7::smallint", pa.int16(), 7),
        ("123::int", pa.int32(), 123),
        ("9007199254740993::bigint", pa.int64(), 9007199254740993),
        ("true", pa.bool_(), True),
        ("1.5::real", pa.float32(), 1.5),
        ("0.1::double precision", pa.float64(), 0.1),
        ("12.50::numeric(10, 2)", pa.string(), "12.50"),
        ("123456789012345678901234567890.123456::numeric", pa.string(), "123456789012345678901234567890.123456"),
        ("1234.5::numeric::money", pa.string(), "1234.50"),
        ("null::numeric", pa.string(), None),
        ("date '2020-02-29'", pa.date32(), date(2020, 2, 29)),
        ("timestamp '2020-01-02 03:04:05.123456'", pa.timestamp("us"), datetime(2020, 1, 2, 3, 4, 5, 123456)),
        (
            "timestamptz '2020-01-02 03:04:05.123456+05:30'",
            pa.timestamp("us", "UTC"),
            datetime(2020, 1, 1, 21, 34, 5, 123456, tzinfo=UTC),
        ),
        ("timestamptz '2020-01-01'", pa.timestamp("us", "UTC"), datetime(2019, 12, 31, 18, 30, tzinfo=UTC)),
        ("timestamptz 'infinity'", pa.timestamp("us", "UTC"), None),
        ("timestamp '-infinity'", pa.timestamp("us"), None),
        ("date 'infinity'", pa.date32(), None),
        ("array[1, 2]", pa.string(), "{1,2}"),
        ("""'{"a": 1}'::jsonb""", pa.string(), '{"a": 1}'),
        ("row(1, 'a')", pa.string(), "(1,a)"),
        ("'visit'::kind", pa.string(), "visit"),
        ("'7.10'::price", pa.string(), "7.10"),
    ],
)
def test_each_type_arrives_as_what_it_is(server, tell, value, kind, expected):
    """The server's own zone is Asia/Kolkata: a time with a zone arrives as its instant, one without as written."""
    if not tell("select 1 from pg_type where typname = 'kind'"):
        tell("create type kind as enum ('visit')", "create domain price as numeric(8, 2)")
    rows = read(f"{server}#select {value} as x")
    assert rows.schema.field("x").type == kind
    assert rows["x"].to_pylist() == [expected]


def test_text_arrives_as_utf8_from_a_database_of_another_encoding(server, tell):
    tell("create database latin encoding 'LATIN1' template template0")
    latin = server.replace("/postgres", "/latin")
    assert read(f"{latin}#select convert_from('\\xe4df'::bytea, 'LATIN1') as x")["x"].to_pylist() == ["äß"]


def test_bytes_that_are_no_text_are_refused(server, tell):
    tell("create database bytes encoding 'SQL_ASCII' template template0")
    with pytest.raises(InputError, match="UTF8"):
        read(server.replace("/postgres", "/bytes") + "#select chr(228) as x")


def test_money_is_exact_to_the_cent(server, tell):
    """Oracle: sums in Python's decimals and by the server."""
    cents = np.random.default_rng(5).integers(-(10**11), 10**11, 2000)
    amounts = [Decimal(int(one)).scaleb(-2) for one in cents]
    tell(
        "create table amounts (amount numeric(14, 2))",
        f"insert into amounts values {', '.join(f'({amount})' for amount in amounts)}",
    )
    with read_batches(f"{server}#amounts") as reader:
        (total,) = duckdb.from_arrow(reader).aggregate("sum(amount::decimal(18, 2))").fetchall()[0]
    assert total == sum(amounts)
    assert str(total) == tell("select sum(amount)::text from amounts")[0][0]


def test_cdnow_comes_back_as_it_went(server, cdnow_path):
    sent = pq.read_table(cdnow_path)
    with dbapi.connect(server, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest("cdnow", sent, mode="create")
    rows = read(f"{server}#cdnow")
    assert rows.column_names == sent.column_names
    assert rows.set_column(3, "amount", rows["amount"].cast(pa.decimal128(10, 2))).cast(sent.schema).equals(sent)


def test_a_big_table_comes_in_batches_of_bounded_size(big):
    with read_batches(big) as reader:
        sizes = [(batch.num_rows, batch.nbytes) for batch in reader]
    assert sum(rows for rows, _ in sizes) == 400_000
    assert len(sizes) > 4
    assert max(size for _, size in sizes) < 2 * BATCH_BYTES


def test_a_reading_is_one_snapshot(server, tell):
    """Also for a function that the query calls: by itself it would see what was added after the query began."""
    tell(
        "create table living as select i, repeat('x', 200) as filler from generate_series(1, 100000) as i",
        "create table later (i int)",
        "create function added() returns bigint volatile language sql as 'select count(*) from later'",
    )
    with read_batches(f"{server}#select i, filler, added() from living") as reader:
        rows = next(reader).drop_columns("filler").to_pylist()
        tell("delete from living where i % 2 = 0", "insert into living values (-1, '')", "insert into later values (1)")
        rows += [row for batch in reader for row in batch.drop_columns("filler").to_pylist()]
    assert rows == [{"i": i, "added": 0} for i in range(1, 100_001)]
    assert read(f"{server}#select i, filler, added() from living")["added"].to_pylist() == [1] * 50_001


def test_a_reading_that_was_left_early_changes_neither_the_next_nor_the_server(big, tell):
    for _ in range(2):
        with read_batches(big) as reader:
            assert next(reader)["i"][0].as_py() == 1
    deadline = time.monotonic() + 10
    while tell("select count(*) from pg_stat_activity where backend_type = 'client backend'") != [(1,)]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    "rows",
    [
        "delete from orders",
        "delete from orders returning *",
        "with gone as (delete from orders returning *) select * from gone",
        "select 1; delete from orders",
        "select 1) to stdout; delete from orders; --",
        "select 1) as source; delete from orders; --",
        "select * into copied from orders",
        "select nextval('numbers')",
        "select set_config('transaction_read_only', 'off', true), nextval('numbers')",
        "begin; delete from orders; commit",
        "copy orders to program 'true'",
        "truncate orders",
    ],
)
def test_a_query_that_is_no_reading_changes_nothing(shop, tell, rows):
    state = (
        "select (select count(*) from orders), (select last_value from numbers), "
        "(select is_called from numbers), to_regclass('copied')::text"
    )
    before = tell(state)
    with pytest.raises(InputError):
        read(f"{shop}#{rows}")
    assert tell(state) == before == [(2, 1, False, None)]


def test_a_row_that_fails_on_the_way_is_one_clear_error(big):
    url = big.replace("#big", "#select i, 1 / (i - 390000) as x from big")
    with pytest.raises(InputError, match="cannot be read to its end: division by zero"), read_batches(url) as reader:
        for _ in reader:
            pass
    with pytest.raises(InputError, match="division by zero"), read_batches(url) as reader:
        duckdb.from_arrow(reader).aggregate("sum(x)").fetchall()


def test_a_failure_of_the_reader_stays_its_own(shop):
    with pytest.raises(ZeroDivisionError), read_batches(f"{shop}#orders"):
        1 / 0  # noqa: B018


def test_the_driver_is_loaded_only_to_read():
    code = f"import sys, {postgresql.__name__}; print([one for one in sys.modules if one.startswith('adbc')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
