"""The tables beside the histories: every row and cent accepted or set aside, in any source, zone and spelling."""

from datetime import UTC, datetime
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import pytest

from features.errors import InputError
from features.ingest.build_histories import ingest
from features.ingest.log import Log
from features.ingest.side_tables import read_side_table

NOW = datetime(2021, 1, 1, tzinfo=UTC)
NOW_US = int(NOW.timestamp() * 1_000_000)


def book(table, source, **changes):
    terms = {"currency": "USD", "gross_margin": 0.4, "timezone": "UTC"} | changes
    return read_side_table(Log("orders.csv", **{table: source}, **terms), table, now_us=NOW_US)


def by_what(read):
    return {one.what: (one.rows, one.amount) for one in read.account}


def assert_adds_up(read):
    source, *parts = read.account
    assert source.rows == sum(one.rows for one in parts)
    assert source.amount == sum(one.amount for one in parts)
    assert read.quarantine.num_rows == sum(one.rows for one in parts if one.what.startswith("quarantined"))
    assert read.rows.num_rows == by_what(read)["accepted"][0]


def treatments(**columns):
    """Two customers of one campaign, unless told otherwise."""
    rows = {"customer_id": ["00123", "b"], "at": "2020-01-02", "campaign": "spring", "offer": "voucher"}
    return pd.DataFrame(rows | {"treated": [True, False]} | columns)


def costs(amounts, **columns):
    rows = {"customer_id": [f"{i:03d}" for i in range(len(amounts))], "at": "2020-01-02", "kind": "service"}
    return pd.DataFrame(rows | {"amount": amounts} | columns)


@pytest.mark.parametrize(
    "said",
    [
        ["true", "False"],
        ["1", "0"],
        ["YES", " no "],
        ["1.0", "0.0"],
        [True, False],
        [1, 0],
        [1.0, 0.0],
        pd.array([1, 0], dtype="Int8"),
        [Decimal("1.00"), Decimal("0.00")],
    ],
)
@pytest.mark.parametrize("ending", ["csv", "parquet", "frame"])
def test_treated_is_read_however_it_is_written(tmp_path, said, ending):
    source = treatments(treated=said)
    if ending != "frame":
        path = tmp_path / f"t.{ending}"
        source.to_csv(path, index=False) if ending == "csv" else source.to_parquet(path)
        source = path
    rows = book("treatments", source).rows.to_pandas()
    assert rows["customer_id"].tolist() == ["00123", "b"]
    assert rows["treated"].tolist() == [True, False]
    assert rows["treated"].dtype == bool


def test_every_treatment_is_accepted_or_set_aside_with_its_reason(tmp_path):
    (tmp_path / "t.csv").write_text(
        "customer_id,at,campaign,offer,treated,cost,recorded_at\n"
        "00123,2020-01-02,spring,voucher,yes,0.004,2020-02-01\n"
        "b,2020-01-02,spring,voucher,no,,\n"
        ",2020-01-02,spring,voucher,yes,1,\n"
        "c,,spring,voucher,yes,1,\n"
        "c,soon,spring,voucher,yes,1,\n"
        "c,1000-01-01,spring,voucher,yes,1,\n"
        "c,2020-01-02,,voucher,yes,1,\n"
        "c,2020-01-02,spring,,yes,1,\n"
        "c,2020-01-02,spring,voucher,,1,\n"
        "c,2020-01-02,spring,voucher,perhaps,1,\n"
        "c,2020-01-02,spring,voucher,yes,free,\n"
        "c,2020-01-02,spring,voucher,yes,-1,\n"
        "c,2020-01-02,spring,voucher,yes,9e11,\n"
        "c,2020-01-02,spring,voucher,yes,1,later\n"
        "c,2020-01-02,spring,voucher,yes,1,,one too many\n"
        "d,2020-01-01,autumn,call,1,2.50,\n"
    )
    read = book("treatments", tmp_path / "t.csv", mapping={"treatments": {"recorded_at": "recorded_at"}})
    assert_adds_up(read)
    assert by_what(read)["accepted"] == (7, Decimal("3.504"))
    reasons = read.quarantine.to_pandas().set_index("row")["reason"].to_dict()
    assert {row: reason for row, reason in reasons.items() if reason != "malformed line"} == {
        3: "no customer_id",
        4: "no at",
        5: "at is not a time",
        6: "at before 1900",
        7: "no campaign",
        8: "no offer",
        9: "no treated",
        10: "treated is neither yes nor no",
    }, "a cost or a recording time that cannot be read is missing"
    assert by_what(read)["quarantined: malformed line"][0] == 1
    rows = read.rows.to_pandas()
    assert rows[["customer_id", "campaign"]].to_numpy().tolist() == [
        ["d", "autumn"],
        ["00123", "spring"],
        ["b", "spring"],
        *[["c", "spring"]] * 4,
    ]
    assert rows["cost"].tolist()[:2] == [2.5, 0.004], "a contact may cost less than a cent"
    assert rows["cost"].isna().tolist() == [False, False, True, False, True, True, True]
    assert (rows["recorded_at"] - rows["at"]).dt.days.tolist() == [0, 30, 0, 0, 0, 0, 0]
    assert str(rows["at"].dtype) == str(rows["recorded_at"].dtype) == "datetime64[us, UTC]"


def test_costs_reconcile_to_the_cent(tmp_path):
    """The oracle is DuckDB's decimal sum of what was written."""
    rng = np.random.default_rng(3)
    amounts = [f"{cents / 100:.2f}" for cents in rng.integers(-2000, 1_000_000, 3000)]
    costs(amounts).to_csv(tmp_path / "c.csv", index=False)
    read = book("costs", tmp_path / "c.csv")
    assert_adds_up(read)
    total = duckdb.sql(f"select sum(amount::decimal(18, 2)) from '{tmp_path}/c.csv'").fetchall()[0][0]
    assert by_what(read)["accepted"] == (3000, total)
    assert by_what(read)["rounding to minor units"] == (0, 0)
    assert sum(round(amount * 100) for amount in read.rows["amount"].to_pylist()) == total * 100
    given = dict(zip(read.rows["customer_id"].to_pylist(), read.rows["amount"].to_pylist(), strict=True))
    assert [given[f"{i:03d}"] for i in range(3000)] == [float(one) for one in amounts]


def test_amounts_are_minor_units_of_the_currency_and_the_rounding_is_told():
    read = book("costs", costs(["12.345", "0.004", "x", None, "nan", "9e15", "-0.005"]))
    assert_adds_up(read)
    assert read.rows.sort_by("customer_id")["amount"].to_pylist() == [12.35, 0.0, -0.01]
    assert by_what(read)["rounding to minor units"] == (0, Decimal("12.344") - Decimal("12.34"))
    reasons = read.quarantine["reason"].to_pylist()
    assert reasons == ["amount is not a number", "no amount", "no amount", "amount too large"]
    yen = book("costs", costs(["12.5"]), currency="JPY")
    assert yen.rows["amount"].to_pylist() == [13.0]


def test_times_are_those_of_the_config_s_zone_and_format():
    read = book("costs", costs([1, 2], at=["2020-07-01 00:30", "2020-07-01T00:30:00Z"]), timezone="Europe/London")
    assert [str(one) for one in read.rows.sort_by("customer_id")["at"].to_pylist()] == [
        "2020-06-30 23:30:00+00:00",
        "2020-07-01 00:30:00+00:00",
    ]
    read = book("treatments", treatments(at="2.1.2020"), time_format="%d.%m.%Y")
    assert [str(one.date()) for one in read.rows["at"].to_pylist()] == ["2020-01-02"] * 2
    with pytest.raises(InputError, match=r"2 times in at carry no zone\n.*time\.timezone"):
        book("treatments", treatments(), timezone=None)


def test_columns_are_renamed_and_a_missing_one_is_named():
    named = treatments().rename(columns={"campaign": "Action", "at": "sent"})
    read = book("treatments", named, mapping={"treatments": {"campaign": "Action", "at": "sent"}})
    assert read.rows["campaign"].to_pylist() == ["spring", "spring"]
    with pytest.raises(InputError, match=r"columns 'at' \(at\), 'campaign' \(campaign\) not found.*\n.*columns\.treat"):
        book("treatments", named)


def test_a_folder_of_overlapping_exports_counts_each_row_once(tmp_path):
    first = costs(["1.00", "2.00", "2.00"], customer_id=["a", "b", "b"])
    first.to_csv(tmp_path / "1.csv", index=False)
    pd.concat([first.iloc[1:], costs(["7.00"])]).to_csv(tmp_path / "2.csv", index=False)
    read = book("costs", tmp_path)
    assert_adds_up(read)
    assert by_what(read)["accepted"] == (4, Decimal(12)), "alike within one file are two"
    assert by_what(read)["quarantined: stands in another file or export"] == (2, Decimal(4))
    assert by_what(book("costs", str(tmp_path / "*.csv"))) == by_what(read)
    treatments().to_csv(tmp_path / "1.csv", index=False)
    treatments().to_csv(tmp_path / "2.csv", index=False)
    assert by_what(book("treatments", tmp_path))["accepted"][0] == 2


def test_who_is_both_treated_and_held_out_by_one_offer_is_refused():
    both = pd.concat([treatments(), treatments(treated=[True, True], at="2020-01-03")])
    expected = (
        r"row 4: 1 customer both treated and held out by one offer of a campaign, first 'b' in 'spring', "
        r"offer 'voucher'\n.*Leave one of the two rows"
    )
    with pytest.raises(InputError, match=expected):
        book("treatments", both)
    other = pd.concat([treatments(), treatments(treated=[True, True], offer="call"), treatments(campaign="autumn")])
    assert book("treatments", other).rows.num_rows == 6, "another offer and another campaign are no contradiction"


def test_rows_of_the_future_are_refused_where_the_time_is_known():
    for table, rows in (("treatments", treatments(at="2021-01-02")), ("costs", costs([1], at="2021-01-02"))):
        with pytest.raises(InputError, match="dated in the future, first 2021-01-02"):
            book(table, rows)
        log = Log("orders.csv", **{table: rows}, currency="USD", gross_margin=0.4, timezone="UTC")
        assert read_side_table(log, table, now_us=None).rows.num_rows == len(rows)


def test_what_is_wrong_with_most_of_a_table_is_one_error():
    with pytest.raises(InputError, match=r"neither yes nor no in 2 of 2 rows, first 'perhaps'\n.*true or false"):
        book("treatments", treatments(treated=["perhaps", "maybe"]))
    with pytest.raises(InputError, match=r"amount is negative in 2 of 3 rows\n.*Write costs as positive"):
        book("costs", costs([-1, -2, 3]))
    with pytest.raises(InputError, match="expected true or false in treated, found DATE"):
        book("treatments", treatments(treated=[NOW.date()] * 2))
    with pytest.raises(InputError, match="expected numbers in amount, found BOOLEAN"):
        book("costs", costs([True]))


def test_a_table_without_rows_is_one_in_which_nothing_is_booked_yet(tmp_path):
    (tmp_path / "t.csv").write_text("customer_id,at,campaign,offer,treated\n")
    for source in (tmp_path / "t.csv", treatments().head(0)):
        read = book("treatments", source)
        assert read.rows.num_rows == read.quarantine.num_rows == 0
        assert str(read.rows.to_pandas()["at"].dtype) == "datetime64[us, UTC]"
    (tmp_path / "t.csv").write_text("")
    with pytest.raises(InputError, match="is empty"):
        book("treatments", tmp_path / "t.csv")


def test_a_table_that_the_config_does_not_name_is_asked_for():
    log = Log("orders.csv", currency="USD", gross_margin=0.4)
    with pytest.raises(InputError, match=r"names no costs\n.*with customer_id, at, kind, amount: costs = "):
        read_side_table(log, "costs", now_us=None)


def test_no_feature_is_made_of_them(log):
    terms = {"currency": "USD", "gross_margin": 0.4, "timezone": "UTC"}
    orders = log("a 2020-01-01 5.00\nb 2020-01-02 6.00")
    with_books = Log(orders, treatments=treatments(), costs=costs([1]), **terms)
    told, plain = (ingest(one, now_us=NOW_US) for one in (with_books, Log(orders, **terms)))
    assert told.histories.present == plain.histories.present
    assert told.account == plain.account


def test_tables_of_a_database_are_read(server, tell):
    tell(
        "create table booked as select '00' || i as customer_id, timestamptz '2020-01-02 00:00+02' as at, "
        "'spring' as campaign, 'voucher' as offer, i % 5 > 0 as treated, (i * 0.01)::numeric(9, 2) as cost "
        "from generate_series(1, 500) as i",
        "create table spent as select '00' || i as customer_id, date '2020-01-02' as at, 'service' as kind, "
        "(i * 0.01)::numeric(9, 2) as amount from generate_series(1, 500) as i",
    )
    read = book("treatments", f"{server}#booked")
    assert_adds_up(read)
    assert read.rows.num_rows == 500
    assert sum(read.rows["treated"].to_pylist()) == 400
    assert {str(one) for one in read.rows["at"].to_pylist()} == {"2020-01-01 22:00:00+00:00"}
    assert by_what(book("costs", f"{server}#spent"))["accepted"] == (500, Decimal("1252.50"))
