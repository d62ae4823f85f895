"""Attributes: read by what they hold, days before the day scored, names never learned missing, ids that must match."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from features.errors import InputError
from features.histories.attributes import OTHER, AttributeKind, attribute_in_words
from features.ingest.build_histories import ingest
from features.ingest.log import Log
from features.ingest.mistakes.find_mistakes import find_mistakes
from features.ingest.read_options import ReadOptions
from features.ingest.reading import reading
from features.online.request import histories_of_request
from features.online.request_columns import BadRequest
from features.snapshots.snapshot import snapshot

PEOPLE = 200
IDS = [f"{number:05d}" for number in range(PEOPLE)]
DAY = date(2024, 3, 1)
TERMS = {"currency": "EUR", "gross_margin": 0.4, "timezone": "Europe/Berlin"}
ORDERS = pd.DataFrame({"customer_id": IDS, "ordered_at": "2024-01-10T12:00:00Z", "amount": "5.00"})


def log(columns, *, kinds=None, ids=IDS, **changes):
    customers = pd.DataFrame({"customer_id": ids} | columns)
    terms = TERMS | {"attributes": tuple(columns), "attribute_kinds": kinds or {}} | changes
    return Log(ORDERS, customers=customers, **terms)


def histories_of(columns, **changes):
    return ingest(log(columns, **changes), now_us=None).histories


def kind_of(cells):
    return histories_of({"it": np.resize(np.array(cells, dtype=object), PEOPLE)}).attribute_kinds["it"]


def values_of(cells, day=DAY, **changes):
    histories = histories_of({"it": np.resize(np.array(cells, dtype=object), PEOPLE)}, **changes)
    return snapshot(histories, as_of=[day], features=["it"])["it"].to_pylist()[: len(cells)]


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1.234,50 €", "12,00 €", "n/a"], "number"),
        (["yes", "No", ""], "yes_no"),
        ([True, False, None], "yes_no"),
        (["0", "1"], "number"),
        (["01067", "80331", "01099"], "names"),
        (["31.12.2023", "01.02.2024", "-"], "day"),
        (["20231231", "20240201"], "day"),
        ([date(2023, 1, 1), date(2024, 1, 1)], "day"),
        (["gold", "silver", None], "names"),
        (["Zürich", "北京"], "names"),
        (["", "NaN", None], "unused"),
        (["the same"], "unused"),
        ([f"a{number}@x.org" for number in range(PEOPLE)], "unused"),
    ],
)
def test_a_column_is_what_its_cells_are(cells, kind):
    assert kind_of(cells).kind == kind


def test_numbers_and_yes_and_no_are_read_as_they_are_written():
    assert values_of(["1.234,50 €", "12,00 €", "7,5"]) == [1234.5, 12.0, 7.5]
    assert values_of(["Yes", "no", " YES "]) == [1.0, 0.0, 1.0]


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d %b %Y"])
def test_a_date_is_the_days_before_the_day_and_unknown_before_it_came(form):
    days = [date(2023, 12, 31), date(2024, 2, 1), date(2024, 2, 28)]
    cells = [day.strftime(form) for day in days]
    for day in (date(2024, 1, 15), DAY):
        expected = [float((day - each).days) if each < day else np.nan for each in days]
        np.testing.assert_array_equal(values_of(cells, day), expected)


def test_a_later_date_changes_nothing_on_an_earlier_day():
    early, late = (
        values_of(["2024-01-01", "2024-02-20"], date(2024, 2, 1)),
        values_of(["2024-01-01", "2025-11-11"], date(2024, 2, 1)),
    )
    np.testing.assert_array_equal(early, late)


def test_rare_names_are_one_and_names_never_learned_are_missing():
    towns = ["big"] * 100 + ["mid"] * 60 + [f"village {number % 20}" for number in range(40)]
    histories = histories_of({"town": towns})
    kind = histories.attribute_kinds["town"]
    assert (kind.names, len(kind.rare)) == (("big", "mid"), 20)
    assert histories.attributes["town"].to_pylist()[-40:] == [OTHER] * 40
    assert not any("village" in text for text in kind.rare)
    later = histories_of({"town": ["atlantis"] * 3 + ["village 7"] + towns[4:]}, kinds={"town": kind})
    assert later.attributes["town"].to_pylist()[:5] == [None] * 3 + [OTHER, "big"]
    assert later.unseen == {"town": 3}


def test_a_request_reads_attributes_as_the_table_does():
    kinds = {
        "plan": AttributeKind("names", ("gold",)),
        "since": AttributeKind("day"),
        "vip": AttributeKind("yes_no"),
        "age": AttributeKind("number"),
    }
    rows = [("gold", "2024-01-05", "yes", 34), ("tin", "2023-06-01", "no", 51), (None, None, None, None)]
    columns = {name: [row[place] for row in rows] for place, name in enumerate(kinds)}
    table = log(columns, kinds=kinds, ids=IDS[:3])
    theirs = ingest(table, now_us=None).histories
    order = {"ordered_at": "2024-01-10T12:00:00Z", "amount": 5.0}
    request = [
        {"customer_id": IDS[place], "orders": [order], "attributes": dict(zip(kinds, row, strict=True))}
        for place, row in enumerate(rows)
    ]
    ours = histories_of_request(request, currency="EUR", gross_margin=0.4, attributes=kinds)
    assert {name: values.to_pylist() for name, values in ours.attributes.items()} == {
        name: values.slice(0, 3).to_pylist() for name, values in theirs.attributes.items()
    }
    assert ours.unseen == theirs.unseen == {"plan": 1}
    request[1]["attributes"]["since"] = "last summer"
    with pytest.raises(BadRequest, match="customer 2: the attribute since is not a day or a time"):
        histories_of_request(request, currency="EUR", gross_margin=0.4, attributes=kinds)


@pytest.mark.parametrize(
    ("spelled", "setting"),
    [
        (lambda text: f"{int(text)}", 'ids = "number"'),
        (lambda text: f" C{text}", 'customer_id = "NAME"|another column'),
    ],
)
def test_customers_none_of_whom_has_an_order_are_refused_with_a_way_that_works(spelled, setting):
    ids = [spelled(text) for text in IDS[1:]]
    plans = np.resize(["gold", "tin"], len(ids))
    with pytest.raises(InputError, match=f"none of its 199 customers has an order(.|\n)*({setting})"):
        histories_of({"plan": plans}, ids=ids)


@pytest.mark.parametrize(("ids", "spelled"), [("lower", " {} "), ("number", "{:d}"), ("number", "{:d}.0")])
def test_the_setting_that_is_named_makes_them_match(ids, spelled):
    theirs = [spelled.format(int(text) if ":d" in spelled else text) for text in IDS]
    read = {table: ReadOptions(ids=ids) for table in ("orders", "customers")}
    histories = histories_of({"plan": np.resize(["gold", "tin"], PEOPLE)}, ids=theirs, read=read)
    assert histories.attributes["plan"].null_count == 0


def test_what_became_of_attributes_is_said():
    columns = {
        "mail": [f"{text}@x.org" for text in IDS[:100]],
        "age": [*np.resize(["31", "44", "57"], 99).tolist(), "old"],
    }
    with reading(log(columns, ids=IDS[:100]), now_us=None, keeps_unused=True) as opened:
        found = {warning.code: warning.message for warning in find_mistakes(opened)}
    assert found["attribute_left_out"].startswith("mail is not learned from: 100 different texts in 100 rows")
    assert found["unread_cells"].startswith("1 of 100 cells of age are not a number, such as 'old'")
    assert found["customers_not_described"].startswith("100 of 200 customers with an order are in the table customers")


def test_an_attribute_that_says_who_left_is_refused():
    columns = {
        "left_reason": np.resize(["price", ""], PEOPLE),
        "left_at": np.resize(["2024-02-01", ""], PEOPLE),
    }
    with pytest.raises(InputError, match="left_reason says who left"):
        histories_of(columns, attributes=("left_reason",))


def test_an_attribute_that_the_table_lacks_is_named_with_what_it_has():
    customers = pd.DataFrame({"customer_id": IDS, "tariff": "gold"})
    with pytest.raises(InputError, match=r"attributes 'plan' not found; found customer_id, tariff(.|\n)*\[features\]"):
        ingest(Log(ORDERS, customers=customers, attributes=("plan",), **TERMS), now_us=None)


def test_attributes_are_said_in_words():
    assert attribute_in_words("signup", AttributeKind("day"), 12.2) == "signup: 12 days ago"
    assert attribute_in_words("is_vip", AttributeKind("yes_no"), 1.0) == "is vip: yes"
    assert attribute_in_words("age", AttributeKind("number"), 34.0) == "age: 34"
    assert attribute_in_words("town", AttributeKind("names"), None) == "town: unknown"


def test_a_log_that_travels_keeps_what_its_attributes_hold():
    kinds = {"plan": AttributeKind("names", ("gold",), ("00ff",))}
    here = Log("orders.csv", customers="people.csv", attributes=("plan",), attribute_kinds=kinds, **TERMS)
    assert Log.from_json(here.to_json()).attribute_kinds == kinds
