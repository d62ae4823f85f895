"""`score -o postgresql://…#table` replaces a table as a whole: readers see the old or the new rows, never a mixture."""

import subprocess
import sys
import time
from datetime import date

import pandas as pd
import pyarrow as pa
import pytest

from features.errors import InputError
from models.prediction import DATES, NUMBERS
from pipelines.batches.score_table import refuse_unwritable, replace_table
from pipelines.batches.staged_scores import SCHEMA
from tests.database import PASSWORD, SPELT

dbapi = pytest.importorskip("adbc_driver_postgresql.dbapi", reason="needs the extra [postgres]")
COLUMNS = ", ".join(SCHEMA.names)
KILLED = """
import sys
from pipelines.batches.score_table import replace_table
from tests.pipelines.batches.test_score_fills_a_table import scores

def tables():
    yield scores("new", 5000)
    print("copied", flush=True)
    sys.stdin.read()

replace_table(sys.argv[1], tables())
"""


def scores(version, customers):
    """Scores of so many, with what is odd: ids, no reason, amounts that need every bit."""
    count = range(customers)
    columns = {
        "customer_id": [f"{number:05d} äß漢🙂 \\\"'\t\n" for number in count],
        "as_of": [date(2020, 1, 1)] * customers,
        "horizon_days": [90] * customers,
        "churn_probability": [1 / (number + 3) for number in count],
        **{name: [number / 7 for number in count] for name in NUMBERS[1:]},
        **{name: [date(2020, 2, 3) if number % 2 else None for number in count] for name in DATES},
        "segment": ["let go"] * customers,
        **{f"reason_{place}": ["62 days" if number % place == 0 else None for number in count] for place in (1, 2, 3)},
        "model_version": [version] * customers,
    }
    return pa.table(columns, schema=SCHEMA)


@pytest.fixture
def table(server, tell):
    """The URL of a table that is not there."""
    tell("drop table if exists scores cascade")
    return f"{server}#scores"


@pytest.fixture
def filled(table):
    replace_table(table, [scores("old", 10)])
    return table


def versions(tell):
    return tell("select model_version, count(*) from scores group by 1 order by 1")


def leftovers(tell):
    return tell("select relname from pg_class where relname like '%staging%'")


def test_every_cell_arrives_in_a_column_of_its_type(table, tell):
    sent = [scores("v1", 1000), scores("v1", 3)]
    assert replace_table(table, sent) == 1003
    rows = pd.DataFrame(tell(f"select {COLUMNS} from scores"), columns=SCHEMA.names)
    expected = pa.concat_tables(sent).to_pandas()
    pd.testing.assert_frame_equal(rows, expected, check_exact=True, check_dtype=False)
    types = tell(
        "select column_name::text, data_type::text from information_schema.columns where table_name = 'scores' "
        "order by ordinal_position"
    )
    names = {"string": "text", "date32[day]": "date", "int32": "integer", "double": "double precision"}
    assert types == [(field.name, names[str(field.type)]) for field in SCHEMA]
    assert leftovers(tell) == []


def test_old_rows_go_and_grants_views_indexes_and_own_columns_stay(filled, tell):
    tell(
        "drop role if exists reader",
        "create role reader",
        "grant select on scores to reader",
        "create view risky as select customer_id from scores where churn_probability > 0.1",
        "create unique index by_customer on scores (customer_id)",
        "alter table scores add column noted_at timestamptz default now()",
        "alter table scores alter column clv type numeric(12, 2), alter column as_of type timestamptz",
    )
    replace_table(filled, [scores("new", 20)])
    assert versions(tell) == [("new", 20)]
    assert tell("select has_table_privilege('reader', 'scores', 'select')") == [(True,)]
    assert tell("select count(*) from risky") == [(7,)]
    assert tell("select indexname::text from pg_indexes where tablename = 'scores'") == [("by_customer",)]
    assert tell("select count(noted_at), max(clv)::text from scores") == [(20, "2.71")]
    tell("drop owned by reader", "drop role reader")


@pytest.mark.parametrize("name", ['"Odd ""table"".name-#@/;"', "marketing.scores", '"' + 63 * "x" + '"'])
def test_a_table_of_any_name_is_made(server, tell, name):
    tell("create schema if not exists marketing")
    for _ in range(2):
        assert replace_table(f"{server}#{name}", [scores("v1", 2)]) == 2
    assert tell(f"select count(*) from {name}") == [(2,)]


def test_readers_see_old_rows_until_the_commit_and_new_ones_after_it(filled, server, tell):
    """One in the midst of a repeatable-read transaction sees the old ones to its end."""
    seen = []

    def tables():
        for _ in range(3):
            yield scores("new", 5)
            seen.append(versions(tell))

    with dbapi.connect(server) as reader, reader.cursor() as cursor:
        cursor.execute("set transaction isolation level repeatable read")
        for _ in range(2):
            cursor.execute("select model_version, count(*) from scores group by 1")
            assert cursor.fetchall() == [("old", 10)]
            if not seen:
                replace_table(filled, tables())
    assert seen == 3 * [[("old", 10)]]
    assert versions(tell) == [("new", 15)]


def test_of_two_runs_at_once_the_rows_of_one_stay(filled, tell):
    def meanwhile():
        yield scores("slow", 7)
        replace_table(filled, [scores("quick", 5)])

    replace_table(filled, meanwhile())
    assert versions(tell) == [("slow", 7)]


def test_a_run_that_fails_leaves_the_old_rows(filled, tell):
    def failing():
        yield scores("new", 5)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        replace_table(filled, failing())
    assert versions(tell) == [("old", 10)]
    assert leftovers(tell) == []


def test_a_run_that_is_killed_leaves_the_old_rows(filled, tell):
    sessions = "select count(*) from pg_stat_activity where backend_type = 'client backend'"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, filled], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout.readline() == "copied\n"
        assert tell(sessions) == [(2,)]
        run.kill()
    deadline = time.monotonic() + 10
    while tell(sessions) != [(1,)]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert versions(tell) == [("old", 10)]
    assert leftovers(tell) == []


def test_what_can_be_written_is_looked_at_without_a_trace(table, tell):
    refuse_unwritable(table)
    assert tell("select to_regclass('scores')::text") == [(None,)]
    replace_table(table, [scores("old", 10)])
    refuse_unwritable(table)
    assert versions(tell) == [("old", 10)]


@pytest.mark.parametrize("write", [refuse_unwritable, lambda url: replace_table(url, [scores("new", 5)])])
@pytest.mark.parametrize(
    ("change", "what", "next"),
    [
        (("#scores", "#strange"), "is a table without as_of, and 18 of the 19 columns of scores are not there", "#"),
        (("#scores", "#select * from scores"), "names a query, not a table", "#TABLE"),
        (("#scores", "#scores; drop table scores"), "what follows # is neither a table", "#TABLE"),
        (("#scores", ""), "names no rows", "#TABLE"),
        (("#scores", "#nowhere.scores"), 'schema "nowhere" does not exist', "Nothing was changed."),
        (("ann:", "ben:"), "permission denied for table scores", "rights"),
        (("pa55", "hush"), "password authentication failed", "PGPASSWORD"),
        (("#scores", "#typed"), 'column "clv" is of type boolean', "Nothing was changed."),
    ],
)
def test_what_cannot_be_written_is_one_clear_error(filled, tell, write, change, what, next):
    tell(
        "create table if not exists strange (customer_id text)",
        "create table if not exists typed as select * from scores",
        "alter table typed drop column clv",
        "alter table typed add column clv boolean",
        "drop role if exists ben",
        f"create role ben login password '{PASSWORD}'",
    )
    with pytest.raises(InputError) as caught:
        write(filled.replace(*change))
    assert what in caught.value.what
    assert next in caught.value.next
    assert caught.value.exit_code == 2
    assert "pa55" not in str(caught.value)
    assert SPELT not in str(caught.value)
    assert "hush" not in str(caught.value)
    assert versions(tell) == [("old", 10)]
