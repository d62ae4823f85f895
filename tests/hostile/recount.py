"""What became of every row and cent, counted anew from the files as they lie: the csv module, Decimal and loops."""

import csv
from collections import Counter, defaultdict
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from tests.hostile.files import Row, morning

REPEATED = "stands in another file or export"


class Recount:
    """The rows of a folder of orders: accepted, or set aside for a reason."""

    def __init__(self, folder: Path) -> None:
        self.rows, self.amount = 0, Decimal(0)
        self.aside: Counter[tuple[str, str]] = Counter()
        """How often each file has each reason."""
        self.aside_amount: dict[str, Decimal] = defaultdict(Decimal)
        copies: dict[tuple[Row, int], list[tuple[str, str, int, Row]]] = defaultdict(list)
        for file in sorted(folder.glob("*.csv")):
            alike: Counter[Row] = Counter()
            with file.open(newline="", encoding="utf-8") as opened:
                lines = list(csv.reader(opened))
            assert lines[0] == list(Row._fields)
            for number, line in enumerate(lines[1:]):
                self.rows += 1
                if len(line) != len(Row._fields):
                    self._set_aside(file.name, "malformed line", Decimal(0))
                    continue
                row = Row(*line)
                amount = amount_of(row)
                self.amount += amount or 0
                if reason := reason_against(row):
                    self._set_aside(file.name, reason, amount or Decimal(0))
                    continue
                same = row._replace(recorded_at="", amount=str(amount))
                alike[same] += 1
                copies[same, alike[same]].append((known_at(row), file.name, number, row))
        self.accepted: list[Row] = []
        for told in copies.values():
            (*_, first), *again = sorted(told)
            self.accepted.append(first)
            for _, file_name, _, row in again:
                self._set_aside(file_name, REPEATED, Decimal(row.amount))

    def _set_aside(self, file: str, reason: str, amount: Decimal) -> None:
        self.aside[file, reason] += 1
        self.aside_amount[reason] += amount

    def account(self) -> dict[str, tuple[int, Decimal]]:
        """Rows and money by what became of them; what is not there is left out."""
        bought = {(row.customer_id, row.order_id) for row in self.accepted if Decimal(row.amount) >= 0}
        found = {
            "source": (self.rows, self.amount),
            "order lines accepted": self._sum(lambda row: Decimal(row.amount) >= 0),
            "refunds netted to their order": self._sum(
                lambda row: Decimal(row.amount) < 0 and (row.customer_id, row.order_id) in bought
            ),
            "refunds whose order was not found": self._sum(
                lambda row: Decimal(row.amount) < 0 and (row.customer_id, row.order_id) not in bought
            ),
        }
        for reason, amount in self.aside_amount.items():
            rows = sum(count for (_, why), count in self.aside.items() if why == reason)
            found[f"quarantined: {reason}"] = (rows, amount)
        return found

    def _sum(self, is_one) -> tuple[int, Decimal]:
        amounts = [Decimal(row.amount) for row in self.accepted if is_one(row)]
        return len(amounts), sum(amounts, Decimal(0))

    def known_before(self, day: date) -> list[Row]:
        """The accepted rows that had happened and were recorded before the day."""
        return known_before(self.accepted, day)


def known_before(rows: list[Row], day: date) -> list[Row]:
    """The rows that had happened and were recorded before midnight UTC of the day."""
    begin = morning(day)
    return [row for row in rows if datetime.fromisoformat(known_at(row)) < begin]


def known_at(row: Row) -> str:
    """When it was known: the times are all written alike, so that their texts are in their order."""
    return max(row.ordered_at, row.recorded_at)


def amount_of(row: Row) -> Decimal | None:
    try:
        return Decimal(row.amount)
    except InvalidOperation:
        return None


def reason_against(row: Row) -> str | None:
    """Why a row cannot be used; None if it can."""
    if not row.customer_id:
        return "no customer_id"
    try:
        datetime.fromisoformat(row.ordered_at)
    except ValueError:
        return "ordered_at is not a time"
    return None if amount_of(row) is not None else "amount is not a number"
