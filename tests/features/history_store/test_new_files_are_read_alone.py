"""Whatever files arrive when, the store gives what reading them all gives, cell by cell; only new files are read."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.history_store import append_rows, open_histories
from features.ingest.log import Log
from tests.features.history_store.arrivals import TERMS, opened, same, some_interactions, some_orders, write


@pytest.fixture(scope="module")
def every_share():
    """Files are added even if they are about most of the customers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(append_rows, "LARGEST_SHARE", 2)
        yield


@pytest.mark.usefixtures("every_share")
@settings(max_examples=25)
@given(seed=st.integers(0, 2**31), ending=st.sampled_from([".csv", ".parquet"]), late=st.booleans())
def test_files_that_arrive_one_after_the_other_give_what_reading_them_all_gives(tmp_path_factory, seed, ending, late):
    rng, folder = np.random.default_rng(seed), tmp_path_factory.mktemp("shop")
    orders, interactions = some_orders(rng, 300), some_interactions(rng, 80)
    if not late:
        orders = orders.drop(columns="recorded_at")
    if rng.random() < 0.5:
        orders = orders.sort_values("ordered_at", kind="stable", ignore_index=True)
    ends = np.sort(rng.choice(np.arange(100, len(orders)), 3, replace=False))
    pieces = [orders[begin:end] for begin, end in pairwise([0, *ends, len(orders)])]
    doubled = pieces[0].sample(8, random_state=1)
    pieces[2] = pd.concat([pieces[2], doubled], ignore_index=True)
    names = rng.permutation(["a", "b", "c", "d"])
    log = Log(str(folder / "orders"), interactions=str(folder / "visits"), **TERMS)
    how, told = [], []
    for number, (name, piece) in enumerate(zip(names, pieces, strict=True)):
        write(piece, folder / "orders" / f"{name}{ending}")
        if number % 2 == 0:
            write(interactions.iloc[number * 40 : number * 40 + 40], folder / "visits" / f"{number}{ending}")
        stored = opened(log, folder / "store", say=told.append)
        how.append(stored.how)
        same(stored, log)
    # The first cell that cannot be read may be of another style.
    assert how.count("made") == 1 + sum("written in another way" in word for word in told)
    assert set(how) == {"made", "added to"}
    assert len(list((folder / "store").iterdir())) == 1


def test_one_file_more_is_read_alone(tmp_path, monkeypatch):
    rng = np.random.default_rng(3)
    orders = some_orders(rng, 400)
    orders["customer_id"] = np.where(np.arange(len(orders)) < 430, "d" + orders["customer_id"], orders["customer_id"])
    write(orders[:430], tmp_path / "orders" / "a.csv")
    log, told = Log(str(tmp_path / "orders"), **TERMS), []
    assert opened(log, tmp_path / "store").how == "made"
    assert opened(log, tmp_path / "store").how == "opened"
    write(orders[430:], tmp_path / "orders" / "b.csv")
    monkeypatch.setattr(open_histories, "reading", None)  # nothing is read whole
    added = opened(log, tmp_path / "store", say=told.append)
    assert (added.how, told) == ("added to", ["reading what is new in 1 file"])
    monkeypatch.undo()
    same(added, log)
    same(opened(log, tmp_path / "store"), log)


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "1.234,50"},
        {"channel": "market"},
        {"ordered_at": "13/02/2024"},
    ],
)
def test_new_files_that_say_more_than_rows_have_the_log_read_whole(tmp_path, change):
    frame = some_orders(np.random.default_rng(4), 300)
    write(frame, tmp_path / "orders" / "a.csv")
    log, told = Log(str(tmp_path / "orders"), **TERMS), []
    opened(log, tmp_path / "store")
    write(frame.head(2).assign(customer_id="new", **change), tmp_path / "orders" / "b.csv")
    stored = opened(log, tmp_path / "store", say=told.append)
    assert stored.how == "made"
    same(stored, log)
    assert told[-1].startswith("reading the whole log again")


@pytest.mark.usefixtures("every_share")
@settings(max_examples=15)
@given(seed=st.integers(0, 2**31), is_folder=st.booleans(), separator=st.sampled_from([",", ";", "\t"]))
def test_lines_at_the_end_of_a_file_are_read_alone(tmp_path_factory, seed, is_folder, separator):
    rng, folder = np.random.default_rng(seed), tmp_path_factory.mktemp("shop")
    orders = some_orders(rng, 300)
    text = orders.to_csv(index=False, sep=separator).splitlines(keepends=True)
    path = folder / "orders" / "a.csv"
    path.parent.mkdir()
    if is_folder:
        write(orders.sample(40, random_state=1), path.with_name("b.csv"))
    log, told, how = Log(str(path.parent if is_folder else path), **TERMS), [], []
    for end in (150, 220, len(text)):
        path.write_text("".join(text[:end]))
        stored = opened(log, folder / "store", say=told.append)
        how.append(stored.how)
        same(stored, log)
    assert how.count("made") == 1 + sum("written in another way" in word for word in told)
    assert set(how) <= {"made", "added to"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a,2024-01-01,5\n", "a,2024-01-01,6\nb,2024-01-02,7\n"),  # an old line is another
        ("a,2024-01-01,5", "a,2024-01-01,55\nb,2024-01-02,7\n"),  # the last line was not at its end
        ('"a\nb",2024-01-01,5\n', '"a\nb",2024-01-01,5\nb,2024-01-02\n'),  # a malformed line
        ("a,2024-01-01,5\n", 'a,2024-01-01,5\n"b\nb",2024-01-02,7\n'),  # a line break in a cell
    ],
)
def test_a_file_that_grew_in_any_way_is_read_right(tmp_path, before, after):
    path, head = tmp_path / "orders.csv", "customer_id,ordered_at,amount\n"
    log = Log(str(path), **TERMS)
    for text in (before, after):
        path.write_text(head + text)
        same(opened(log, tmp_path / "store"), log)
