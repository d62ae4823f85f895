"""CHECKS 2 and 5: features are of the rows, not of their order, their files, their neighbours or the other days."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.families.catalogue import catalogue
from features.history_store.parts import histories_in_parts
from features.ingest.log import Log
from features.ingest.reading import reading
from features.snapshots.snapshot import snapshot

OPTIONAL = ("order_id", "product_id", "category", "quantity", "cost", "discount", "channel", "recorded_at")
CONTENT = {
    "orders": ["customer_id", "ordered_at", "amount", "order_id", "product_id", "cost"],
    "interactions": ["customer_id", "at", "kind", "value"],
}
"""Rows alike in these, in different files, are one row told twice."""
seeds = st.integers(0, 10_000)
quick = settings(max_examples=6, derandomize=True)


def shuffled(rows, seed):
    return rows.sample(frac=1, random_state=seed)


def split(rows, table, folder, *, files, rng):
    """Write the rows to some files, rows alike into the same one."""
    alike = rows.groupby(CONTENT[table], dropna=False).ngroup()
    place = rng.integers(0, files, alike.max() + 1)[alike]
    folder.mkdir()
    for number in range(files):
        if (place == number).any():
            shuffled(rows[place == number], number).to_parquet(folder / f"{number}.parquet")
    return folder


@quick
@given(seed=seeds, day=st.integers(1, 50))
def test_rows_in_any_order(crowd, rows_of, seed, day):
    orders, interactions = crowd(seed)
    expected = rows_of(orders, interactions, day=day)
    assert rows_of(shuffled(orders, seed), shuffled(interactions, seed), day=day).equals(expected)


def test_lines_and_refunds_that_are_alike_but_for_one_column(crowd, rows_of):
    """Refunds of other costs, fractions of pieces and categories of one order: what sums and matches them is exact."""
    orders, interactions = crowd(5, customers=20, late=False)
    placed = [("2020-01-01", "a", "1.50", "0.10"), ("2020-03-01", "b", "1.50", "0.10")]
    taken = [("2020-03-02", "r", "-1.00", cost) for cost in ("0.50", "0.10", "0.30")]
    ann = pd.DataFrame([*placed, *taken], columns=["ordered_at", "order_id", "amount", "cost"])
    ann = ann.assign(customer_id="ann", product_id="mug")
    bob = pd.DataFrame({"category": list("zzyyxxxxwz"), "quantity": ["0.1", "0.2", "0.3", "0.7", "1"] * 2})
    bob = bob.assign(customer_id="bob", ordered_at="2020-03-01", order_id="a", amount="5.00")
    added = pd.concat([ann, bob]).astype({"ordered_at": orders["ordered_at"].dtype})
    expected = rows_of(pd.concat([orders, added]), interactions, day=63)
    for seed in range(8):
        assert rows_of(pd.concat([orders, shuffled(added, seed)]), interactions, day=63).equals(expected)


@settings(quick, max_examples=8)
@given(seed=seeds, dropped=st.sets(st.sampled_from(OPTIONAL)), blank=st.sets(st.sampled_from(OPTIONAL[:-1])))
def test_rows_in_any_order_with_columns_missing_or_empty(crowd, rows_of, seed, dropped, blank):
    orders, _ = crowd(seed)
    orders[list(blank)] = pd.NA
    orders = orders.drop(columns=list(dropped)).astype(dict.fromkeys(blank - dropped, "string"))
    expected = rows_of(orders, day=[10, 33], features=list(catalogue()))
    assert rows_of(shuffled(orders, seed), day=[10, 33], features=list(catalogue())).equals(expected)


@pytest.mark.slow
@quick
@given(seed=seeds, files=st.integers(1, 6))
def test_one_log_in_any_number_of_files_some_of_them_twice(crowd, rows_of, tmp_path_factory, seed, files):
    orders, interactions = crowd(seed)
    expected = rows_of(orders, interactions, day=[12, 33])
    rng, folder = np.random.default_rng(seed), tmp_path_factory.mktemp("log")
    parts = split(orders, "orders", folder / "orders", files=files, rng=rng)
    told = split(interactions, "interactions", folder / "interactions", files=files, rng=rng)
    assert rows_of(parts, told, day=[12, 33]).equals(expected)
    for part in (parts, told):
        file = sorted(part.iterdir())[0]
        shuffled(pd.read_parquet(file), seed).to_parquet(part / "again.parquet")
    assert rows_of(parts, told, day=[12, 33]).equals(expected)


@quick
@given(seed=seeds, day=st.integers(1, 50))
def test_ids_in_any_alphabetical_order(crowd, rows_of, seed, day):
    orders, interactions = crowd(seed)
    expected = rows_of(orders, interactions, day=day)
    ids = sorted({*orders["customer_id"], *interactions["customer_id"]})
    new = dict(zip(ids, np.random.default_rng(seed).permutation(ids), strict=True))
    renamed = [table.assign(customer_id=table["customer_id"].map(new)) for table in (orders, interactions)]
    rows = rows_of(*renamed, day=day)
    expected = expected.assign(customer_id=expected["customer_id"].map(new)).sort_values("customer_id")
    assert rows.equals(expected.reset_index(drop=True))


@pytest.mark.parametrize("late", [True, False])
def test_a_customer_alone_equals_the_same_customer_in_a_batch(crowd, rows_of, late):
    orders, interactions = crowd(1, late=late)
    batch = rows_of(orders, interactions, day=[9, 20, 40])
    for customer in sorted(orders["customer_id"].unique())[::40]:
        own = interactions[interactions["customer_id"] == customer]
        own = pd.concat([own, interactions.head(4).assign(customer_id="nobody")])
        alone = rows_of(orders[orders["customer_id"] == customer], own, day=[9, 20, 40])
        assert alone.equals(batch[batch["customer_id"] == customer].reset_index(drop=True))


@pytest.mark.parametrize("late", [True, False])
def test_a_log_split_on_disk_gives_the_same_rows(crowd, rows_of, monkeypatch, late):
    orders, interactions = crowd(11, late=late)
    whole = rows_of(orders, interactions, day=[9, 20, 40])
    # A log of a few thousand rows is taken for a large one.
    monkeypatch.setattr("features.history_store.parts.ROW_BYTES", 100_000)
    log = Log(orders, interactions=interactions, currency="USD", gross_margin=0.4, timezone="UTC")
    days, features = sorted(whole["as_of"].unique()), list(whole)[2:]
    with reading(log, now_us=None) as opened:
        split = [
            snapshot(histories, as_of=days, features=features).to_pandas()
            for histories, _ in histories_in_parts(opened, memory_bytes=100_000_000)
        ]
    assert len(split) > 5
    assert pd.concat(split, ignore_index=True).equals(whole)


@pytest.mark.slow
@quick
@given(seed=seeds, days=st.lists(st.integers(0, 60), min_size=2, max_size=6), known=st.none() | st.integers(1, 40))
def test_many_cut_offs_in_one_pass_equal_one_at_a_time(crowd, rows_of, seed, days, known):
    tables = crowd(seed)
    days = [max(day, known or 0) for day in days]
    together = rows_of(*tables, day=days, known=known)
    alone = pd.concat([rows_of(*tables, day=day, known=known) for day in sorted(set(days))])
    assert together.equals(alone.sort_values(["customer_id", "as_of"]).reset_index(drop=True))
