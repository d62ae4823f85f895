"""Every command of the documentation runs as it stands, in the order of its page, on a small simulated shop."""

import pytest

from tests.docs.exempt import ELSEWHERE, EXEMPT, MAY_SAY_NO
from tests.docs.pages import ROOT, blocks_of, commands_of, pages
from tests.docs.place import FEWER, Place, free_port
from tests.docs.walking import walk
from tests.pipelines.labelled.tables import customers

QUICK = [
    "docs/how-to/your-own-data.md",
    "docs/how-to/add-a-feature.md",
    "docs/how-to/add-an-offer.md",
    "docs/how-to/production-serving.md",
    "docs/explanation/time.md",
]
"""Pages whose commands run in the folder of the shop, in seconds."""
LONG = {
    "docs/how-to/spark.md": "Spark starts twice and trains",
    "docs/how-to/scheduled-retraining.md": "trains again",
    "docs/how-to/mlflow-server.md": "starts a server and trains",
}
"""The same, but slow, and why."""
OTHERS = {"README.md", "docs/README.md", "docs/how-to/postgresql.md", "docs/how-to/label-tables.md"}
"""Pages with a test of their own below."""

ALL = [(page, command) for page in pages() for block in blocks_of(page, "sh") for command in commands_of(block)]


@pytest.fixture
def place(shop):
    """The shop, its ports free ones; what a page starts ends with it."""
    found = Place(
        shop, {f"{before}{port}": f"{before}{free_port()}" for port in (3000, 3001, 5000, 5001) for before in (":",)}
    )
    found.replaced |= {f"--port {one[1:]}": f"--port {new[1:]}" for one, new in found.replaced.items()}
    yield found
    found.end()


@pytest.mark.slow
@pytest.mark.parametrize("page", QUICK)
def test_a_page_runs(page, place):
    assert walk(page, place)


@pytest.mark.slow
@pytest.mark.parametrize("page", LONG)
def test_a_long_page_runs(page, place):
    assert walk(page, place)


@pytest.mark.slow
def test_the_map_makes_a_shop(walked_shop):
    assert (walked_shop / "plan.csv").exists()


@pytest.mark.slow
def test_the_page_of_label_tables_runs(tmp_path):
    customers(300, value=True).to_csv(tmp_path / "customers.csv", index=False)
    customers(50, seed=2).drop(columns="left").to_csv(tmp_path / "new.csv", index=False)
    assert walk("docs/how-to/label-tables.md", Place(tmp_path))


@pytest.mark.slow
def test_the_readme_runs(orders_alone, place):
    place.folder = orders_alone
    assert len(walk("README.md", place)) > 6


@pytest.mark.slow
def test_a_database_is_read_and_written(place, tell, server):
    orders = f"from '{place.folder}/orders/*.parquet'"
    tell("drop table if exists orders, scores cascade")
    fill(server, orders)
    place.replaced["postgresql://ann@db.example/shop"] = server
    place.replaced["'secret'"] = "'pa55:w?rd'"
    assert walk("docs/how-to/postgresql.md", place)
    [(scores, customers)] = tell("select count(*), count(distinct customer_id) from scores")
    assert scores == customers > 400


def fill(server, orders):
    """The orders of the shop as a table of the server."""
    import adbc_driver_postgresql.dbapi as dbapi
    import duckdb

    with dbapi.connect(server, autocommit=True) as connection, connection.cursor() as cursor:
        rows = f"select * {orders}"
        cursor.adbc_ingest("orders", duckdb.sql(rows).to_arrow_table(), mode="replace")


def test_every_page_with_commands_is_run_somewhere():
    placed = {*QUICK, *LONG, *OTHERS, *ELSEWHERE}
    assert {page for page, _ in ALL} == placed
    assert all((ROOT / test).exists() for test in ELSEWHERE.values())


@pytest.mark.parametrize("beginning", EXEMPT)
def test_an_exemption_is_needed_and_checked_otherwise(beginning):
    _, is_sound = EXEMPT[beginning]
    found = [command.partition(" #")[0].strip() for _, command in ALL if command.startswith(beginning)]
    assert found, "stale: no page has such a command any more"
    assert all(map(is_sound, found))


@pytest.mark.parametrize("beginning", [*MAY_SAY_NO, *FEWER])
def test_no_leniency_is_stale(beginning):
    assert any(beginning in command for _, command in ALL)
