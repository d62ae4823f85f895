"""A console over real scores, with histories in a Parquet file, and a customer whose id is hostile."""

import pandas as pd
import pytest

from tests.serving.console.opened import logged_in, opened

HOSTILE = '<script>alert("x")</script>/../=cmd()&amp; \u202e'


@pytest.fixture(scope="session")
def shop(batch, tmp_path_factory):
    """The batch, one of its customers renamed to HOSTILE; the folder has scores.store, bundle and orders.parquet."""
    from models.artifacts import bundle
    from tests.serving.served import Batch, written

    folder = tmp_path_factory.mktemp("shop")
    someone = batch.rows["customer_id"].iloc[7]
    rows, orders = (
        frame.assign(customer_id=frame["customer_id"].replace(someone, HOSTILE)) for frame in (batch.rows, batch.orders)
    )
    scores = written(folder / "scores.store", bundle.read(batch.folder / "bundle"), rows)
    (folder / "bundle").symlink_to(batch.folder / "bundle")
    orders.assign(ordered_at=pd.to_datetime(orders["ordered_at"])).to_parquet(folder / "orders.parquet")
    return Batch(folder, scores, rows, orders)


@pytest.fixture(scope="session")
def console(shop, tmp_path_factory):
    """A console over the shop."""
    from tests.serving.console.opened import TOKEN

    folder = shop.folder
    with opened(
        tmp_path_factory.mktemp("home"),
        scores=folder / "scores.store",
        model=folder / "bundle",
        orders=folder / "orders.parquet",
    ) as one:
        yield one
    told = str(one.journal)
    assert TOKEN not in told + one.said
    assert HOSTILE not in told
    assert "error" not in {line["event"] for line in one.journal}


@pytest.fixture
def page(browser, console):
    """A page that is logged in."""
    with logged_in(browser, console) as one:
        yield one
