"""A batch takes a third of the bytes of its scores, loses no digit that anybody reads, and old batches are read on."""

import io
from datetime import date, timedelta
from fractions import Fraction

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.online.one_customer import read_customer_rows
from models.prediction import DATES, NUMBERS
from models.scoring.score_change import EQUAL, MEASURES, are_equal, split_change
from pipelines import why
from pipelines.batches import ledger
from pipelines.batches.latest_scores import latest_scores
from pipelines.batches.ledger_table import COLUMNS, PRECISION, rounded
from pipelines.batches.staged_scores import SCHEMA
from pipelines.monitoring.score_steps import score_steps
from tests.pipelines.batches.conftest import FIRST, LAST, NOW
from tests.pipelines.batches.test_ledger_keeps_every_batch import DAY, keep, scores

CUSTOMERS = 20_000
doubles = st.floats(-1e15, 1e15, allow_subnormal=False)


def shop_scores(first=0, *, seed=5):
    """A table of scores of which every digit is drawn: probabilities, orders, and money, partly 0."""
    draw = np.random.default_rng(seed)
    size = CUSTOMERS
    money = {name: draw.lognormal(4, 1.5, size) for name in NUMBERS if "probability" not in name}
    money["expected_orders"] = draw.lognormal(0, 1, size)
    for name, share in {"value_p10": 0.3, "clv_p10": 0.4, "value_p90": 0.6, "gain": 0.5}.items():
        money[name] *= draw.random(size) < share
    probabilities = {name: draw.beta(0.7, 0.9, size) for name in NUMBERS if name not in money}
    columns = {
        "customer_id": [f"{number:07d}" for number in range(first, first + size)],
        "as_of": [DAY] * size,
        "horizon_days": [90] * size,
        **money,
        **probabilities,
        **{name: draw.integers(18_400, 18_700, size).astype("datetime64[D]") for name in DATES},
        "segment": draw.choice(["grow", "VIP", "maintain"], size),
        **dict.fromkeys(("reason_1", "reason_2", "reason_3"), [None] * size),
        "model_version": ["a1b2c3d4e5f6"] * size,
    }
    return pa.table({name: columns[name] for name in SCHEMA.names}, schema=SCHEMA)


def in_full(table):
    """The bytes of a table as batches were kept before: with all digits, by lz4."""
    stream = io.BytesIO()
    texts = [field.name for field in table.schema if not pa.types.is_floating(field.type)]
    pq.write_table(table, stream, compression="lz4", use_dictionary=texts, store_schema=False)
    return stream.getvalue()


def test_a_batch_takes_about_a_third_of_the_bytes_of_its_scores(tmp_path):
    table = shop_scores()
    keep(tmp_path, more=[table])
    (entry,) = ledger.entries(tmp_path)
    assert entry.customers == CUSTOMERS + 3
    assert entry.file.stat().st_size < 0.36 * len(in_full(table.select(COLUMNS)))


@given(doubles, st.sampled_from(sorted(set(PRECISION.values()))))
def test_a_rounded_number_is_off_by_no_more_than_its_precision(number, precision):
    (kept,) = rounded(np.array([number]), precision=precision).tolist()
    assert abs(Fraction(kept) - Fraction(number)) <= Fraction(precision) * max(1, abs(Fraction(number)))
    assert rounded(np.array([kept]), precision=precision)[0] == kept


@given(doubles)
def test_why_takes_a_rounded_number_to_be_equal_and_one_that_is_off_by_twice_as_much_not(number):
    assert {PRECISION[name] for name in MEASURES} == {PRECISION["clv"]}
    exact = np.array([number])
    assert are_equal(rounded(exact, precision=PRECISION["clv"]), exact)
    assert not are_equal(rounded(exact + 2 * EQUAL * max(1, abs(number)), precision=PRECISION["clv"]), exact)


def test_one_customer_is_found_in_any_order_and_as_the_whole_batch_has_them(tmp_path):
    later, earlier = shop_scores(CUSTOMERS, seed=6), shop_scores()
    keep(tmp_path, more=[later, earlier])
    (entry,) = ledger.entries(tmp_path)
    whole = ledger.read(entry).set_index("customer_id")
    for customer in ("0000000", "0019999", "0020000", "0039999"):
        found = ledger.row(entry, customer)
        assert {name: found[name] for name in NUMBERS} == whole.loc[customer, list(NUMBERS)].to_dict()
    assert ledger.row(entry, "0040000") is None


def test_a_batch_kept_with_all_digits_is_read_as_it_was(tmp_path, monkeypatch):
    table = shop_scores()
    monkeypatch.setattr(ledger, "ENCODINGS", None)
    monkeypatch.setattr(ledger, "kept_columns", lambda scores: scores.select(COLUMNS))
    keep(tmp_path, day=date(2020, 4, 1), more=[table])
    monkeypatch.undo()
    keep(tmp_path, more=[table])
    old, new = ledger.entries(tmp_path)
    assert old.file.stat().st_size > 2.5 * new.file.stat().st_size
    expected = pa.concat_tables([scores(day=date(2020, 4, 1)), table]).to_pandas(date_as_object=False)
    assert ledger.read(old).equals(expected[list(COLUMNS)])
    assert ledger.row(old, "0000007")["clv"] == table["clv"][7].as_py()


def test_a_split_is_the_same_bit_by_bit_as_if_the_ledger_rounded_nothing(shop, models, monkeypatch):
    def contents():
        config = shop((FIRST, models[0]), (LAST, models[1]))
        return [
            why.why(config, customer, first=None, last=None, now=NOW, say=lambda _: None)
            for customer in ("still", "late", "buyer", "everything")
        ]

    of_rounded = contents()
    monkeypatch.setattr(ledger, "kept_columns", lambda scores: scores.select(COLUMNS))
    for rounded_one, exact in zip(of_rounded, contents(), strict=True):
        for name in ("parts", "change", "in_words"):
            assert rounded_one[name] == exact[name]
        for end in ("from", "to"):
            assert all(rounded_one[end][name] == exact[end][name] for name in MEASURES)
            assert rounded_one[end]["gain"] == pytest.approx(exact[end]["gain"], rel=2.5e-4, abs=2.5e-4)


def test_only_the_numbers_that_come_out_otherwise_are_corrected(shop, models):
    config = shop((FIRST, models[0]), (LAST, models[0]))
    rows = read_customer_rows(config.log, "still")
    steps, _ = score_steps(config.log, rows, list(models[0].inputs), first=FIRST, last=LAST, now_us=None)
    before, after = (ledger.row(entry, "still") for entry in ledger.entries(config.folder))
    first, last = (np.array([score[name] for name in MEASURES]) for score in (before, after))
    change = split_change(models[0], models[0], steps, first=first - [0, 0, 1], last=last)
    corrected = change.parts.loc["corrected_data"]
    assert corrected[["churn_probability", "expected_value"]].tolist() == [0, 0]
    assert corrected["clv"] == pytest.approx(1, abs=1e-6)


def test_the_ledger_holds_what_score_wrote_last_as_precisely_as_it_says(shop, models):
    config = shop((FIRST, models[0]), (LAST, models[1]))
    entry = ledger.entries(config.folder)[-1]
    kept, latest = ledger.read(entry), latest_scores(config.folder)[list(COLUMNS)]
    assert (kept.dtypes == latest.dtypes).all()
    for name in NUMBERS:
        off_by = (kept[name] - latest[name]).abs() / latest[name].abs().clip(lower=1)
        assert off_by.max() <= (1e-9 if name in MEASURES else 2.5e-4)
    others = [name for name in kept if name not in NUMBERS]
    pd.testing.assert_frame_equal(kept[others], latest[others], check_exact=True)
    assert (entry.customers, entry.data_end, entry.scored_at) == (
        len(latest),
        date(1998, 6, 21),
        NOW + timedelta(minutes=1),
    )
    assert entry.totals["clv"] == pytest.approx(latest["clv"].sum())
