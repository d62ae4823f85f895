"""A simulated shop: made, trained, scored and planned by the commands of docs/README.md."""

import shutil

import pytest

from tests.docs.pages import ROOT
from tests.docs.place import Place
from tests.docs.walking import walk


@pytest.fixture(scope="session")
def walked_shop(tmp_path_factory):
    """The folder of the shop after all commands of docs/README.md, and what was said."""
    folder = tmp_path_factory.mktemp("docs")
    (folder / ".venv").symlink_to(ROOT / ".venv")
    place = Place(folder)
    walk("docs/README.md", place)
    return place.folder


@pytest.fixture
def shop(walked_shop, tmp_path):
    """A copy of it that a page may change; what it logs to MLflow goes beside the first one's artefacts."""
    shutil.copytree(walked_shop, tmp_path / "shop")
    return tmp_path / "shop"


@pytest.fixture
def orders_alone(walked_shop, tmp_path):
    """A folder with nothing but our commands and a file of orders."""
    import duckdb

    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    orders = f"from '{walked_shop}/orders/*.parquet'"
    duckdb.sql(f"copy (select customer_id, ordered_at, amount, order_id {orders}) to '{tmp_path}/orders.csv'")
    return tmp_path
