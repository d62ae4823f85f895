"""A small shop's orders, as its files say them day by day: on time, late, cut short, half written, told twice.

The history is a twentieth of CDNOW; the days after it are made up, from a seed. Every row carries when it was recorded.
"""

import csv
import io
import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pandas as pd

FIRST = date(1998, 6, 1)
"""The first day with a file of its own; all before is in one file."""
ORDERS_A_DAY = 40
REFUNDS_A_DAY = 4
HOSTILE_IDS = ("<script>alert(1)</script>", "=cmd()", 'O\'Brien, "Ann"', "００１２３", "../../etc/passwd")
NEVER_SOLD = "never-sold"
"""The product of refunds whose order nobody finds."""


class Row(NamedTuple):
    """A line of orders as it is written."""

    customer_id: str
    ordered_at: str
    amount: str
    order_id: str
    product_id: str
    recorded_at: str


def written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}Z"


def morning(day: date) -> datetime:
    """Midnight UTC, when a day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def history(cdnow: Path) -> list[Row]:
    """What was sold before the first day."""
    frame = pd.read_parquet(cdnow)
    frame = frame[(frame["customer_id"].astype(int) % 20 == 0) & (frame["ordered_at"] < FIRST)]
    rows = []
    for number, one in enumerate(frame.to_dict("records")):
        at = written(morning(one["ordered_at"]) + timedelta(seconds=37 * number % 86_000))
        rows.append(Row(one["customer_id"], at, f"{one['amount']:.2f}", f"o{number}", f"p{number % 23}", at))
    return rows


def of_day(number: int, before: list[Row], chance: random.Random, *, recorded_days_later: int) -> list[Row]:
    """The rows of day `number`, 1 the first: orders, refunds of orders before, and three that nobody can use."""
    begin = morning(FIRST + timedelta(days=number - 1))
    sold = [row for row in before if row.customer_id and row.amount[:1].isdigit() and row.amount != "0.00"]
    rows: list[Row] = []

    def add(customer_id: str, amount: str, order_id: str, product_id: str, at: str | None = None) -> None:
        moment = begin + timedelta(seconds=chance.randrange(3_600, 80_000))
        known = moment + timedelta(days=recorded_days_later, seconds=chance.randrange(600))
        rows.append(Row(customer_id, at or written(moment), amount, order_id, product_id, written(known)))

    for place in range(ORDERS_A_DAY):
        amount = f"{chance.randrange(100, 9_000) / 100:.2f}"
        add(chance.choice(sold).customer_id, amount, f"d{number}-{place}", f"p{chance.randrange(23)}")
    add(HOSTILE_IDS[number % len(HOSTILE_IDS)], "17.05", f"d{number}-new", "p1")
    for one in chance.sample(sold, REFUNDS_A_DAY):
        add(one.customer_id, f"-{one.amount}", one.order_id, one.product_id)
    add(chance.choice(sold).customer_id, "-3.21", f"lost-{number}", NEVER_SOLD)
    add("", "5.00", f"d{number}-nobody", "p1")
    add(chance.choice(sold).customer_id, "five", f"d{number}-word", "p1")
    add(chance.choice(sold).customer_id, "5.00", f"d{number}-when", "p1", at="yesterday")
    chance.shuffle(rows)
    return rows


def text(rows: list[Row]) -> str:
    """A whole file."""
    said = io.StringIO()
    lines = csv.writer(said, lineterminator="\n")
    lines.writerow(Row._fields)
    lines.writerows(rows)
    return said.getvalue()


def cut_short(whole: str, chance: random.Random) -> str:
    """A file that ends somewhere in its last line."""
    last = whole.rstrip("\n").rfind("\n") + 1
    return whole[: chance.randrange(last + 1, len(whole) - 1)]


def half_written(whole: str, chance: random.Random) -> str:
    """A file in which one row was begun, cut before its end, and begun anew on the next line."""
    lines = whole.splitlines(keepends=True)
    place = chance.randrange(2, len(lines) - 2)
    begun = lines[place][: lines[place].rfind(",")]
    return "".join([*lines[:place], begun[: max(1, begun.rfind(","))] + "\n", *lines[place:]])


def put(path: Path, content: str) -> None:
    """Lay a file down in one step, as whoever delivers files should."""
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(content, "utf-8")
    draft.replace(path)
