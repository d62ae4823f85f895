"""Further kinds of file: days and times of day apart, flags of orders, ids as spreadsheets leave them, footers."""

import numpy as np
import pandas as pd

from tests.pipelines.exports import LINES, csv, parquet, plain, times, workbook
from tests.pipelines.kinds_of_export import CENTS, EPOCH, HOUR, IDS, TO_DAYS, TO_MINUTES, Kind, table

NO_TIME = plain().drop(columns="ordered_at")
MONTHS = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
]
SPANISH = LINES["ordered_at"].map(lambda at: f"{at.day} de {MONTHS[at.month - 1]} de {at.year}")


def apart(**columns):
    """Days and times of day in columns of their own."""
    return table(frame=NO_TIME.assign(**columns))


def marked(name, usual, marked_as):
    """Sixty more orders that a column marks as no purchase."""
    more = plain().head(60).assign(order_id=lambda rows: "9" + rows["order_id"], **{name: marked_as})
    return Kind(table(frame=pd.concat([plain(**{name: usual}), more])))


def xls_of_text(folder):
    path = folder / "orders.xls"
    path.write_text(plain().to_csv(index=False, sep="\t"))
    return path


MARKED = {
    "is_cancelled": ("false", "true"), "cancelled": ("0", "1"), "Cancelled at": ("", "2026-01-01"), "Storno": ("", "X"),
    "paid": ("true", "false"), "Refunded?": ("No", "Yes"), "is_test": ("false", "true"), "void": ("N", "Y"),
    "Bestellstatus": ("abgeschlossen", "storniert"), "Stage": ("done", "cancelled"), "result": ("success", "failed"),
    "status": ("completed", "on-hold"),
}  # fmt: skip
MORE_RIGHT = {
    "day and time": Kind(apart(Date=times("%Y-%m-%d"), Time=times("%H:%M:%S"))),
    "day and am pm": Kind(apart(order_date=times("%m/%d/%Y"), order_time=times("%I:%M:%S %p"))),
    "day and time in German": Kind(apart(Datum=times("%d.%m.%Y"), Uhrzeit=times("%H:%M")), orders=TO_MINUTES),
    "day and digits": Kind(apart(ERDAT=times("%Y%m%d"), ERZET=times("%H%M%S").str.replace("^0(?=[1-9])", "", regex=True)), {"ordered_at": "ERDAT"}),
    "midnight and time": Kind(apart(Date=times("%Y-%m-%d 00:00:00"), Time=times("%H:%M:%S"))),
    "day and time in a workbook": Kind(
        lambda folder: workbook(folder / "o.xlsx", {"S": NO_TIME.assign(Date=LINES["ordered_at"].dt.floor("D"), Time=times("%H:%M:%S"))})
    ),
    "day and time in parquet": Kind(
        lambda folder: parquet(folder / "o.parquet", **NO_TIME.assign(Date=times("%Y-%m-%d"), Time=times("%H:%M:%S")).to_dict("list"))
    ),
    "a zone beside": Kind(
        table(ordered_at=(LINES["ordered_at"] + 9 * HOUR).dt.strftime("%Y-%m-%d %H:%M:%S"), **{"Time Zone": "JST"})
    ),
    "spanish dates": Kind(table(ordered_at=SPANISH), orders=TO_DAYS),
    "cents by name": Kind(table(frame=plain(total_price_cents=CENTS).drop(columns="amount"))),
    "an xls of text": Kind(xls_of_text),
    "a footer": Kind(table(below=f"\n({len(LINES)} rows affected)\n")),
    "ids in formulas": Kind(table(customer_id='="' + IDS + '"')),
    "ids with an apostrophe": Kind(table(customer_id="'" + IDS)),
} | {f"marked by {name}": marked(name, *values) for name, values in MARKED.items()}  # fmt: skip
"""Kinds that come out as the truth."""


def dated(day):
    """Some lines on a day that stands for none."""
    return table(frame=plain().assign(ordered_at=np.where(LINES.index % 50 == 5, day, plain()["ordered_at"])))


def credit_notes():
    """Ids of orders, some of them those of credit notes."""
    ids = plain()["order_id"].astype(str)
    return np.where(ids.astype(int) % 9 == 4, "C" + ids, ids)


MORE_WARNED = {
    "ids that lost digits": (table(customer_id=IDS.map(lambda cell: f"{int(cell) * 1000:.2E}")), "ids_lost_digits"),
    "times that lost digits": (table(ordered_at=(EPOCH * 1000).map("{:.5E}".format)), "times_lost_digits"),
    "the last day of SQL": (dated("9999-12-31 00:00:00"), "placeholder_dates"),
    "the first day of SQL": (dated("0001-01-01 00:00:00"), "unread_times"),
    "the zero day of MySQL": (dated("0000-00-00 00:00:00"), "unread_times"),
    "deleted customers": (table(customer_id=IDS.where(LINES.index % 30 > 0, "[deleted]")), "placeholder_id"),
    "negative pieces": (
        lambda folder: csv(folder / "o.csv", pd.concat([plain(quantity=1), plain(quantity=-1).head(60)])),
        "negative_quantities",
    ),
    "a state in numbers": (table(current_state=np.where(LINES.index % 9 == 4, 6, 5).astype(str)), "status_in_codes"),
    "debits and credits": (table(dc=np.where(LINES.index % 9 == 4, "C", "D")), "refunds_without_minus"),
    "an amount credited": (table(credit_amount=np.where(LINES.index % 9 == 4, 5.0, 0.0)), "refund_column_unused"),
    "credit notes by letter": (table(order_id=credit_notes()), "refunds_without_minus"),
    "remarks": (table(below="\nEnd of report\n"), "malformed_lines"),
}
"""Kinds that are read as they stand, with a warning: its code."""
TWO_CODES = np.where(LINES.index % 2, "USD", "EUR")
MORE_ASKED = {
    f"two currencies in {name}": (table(**{name: TWO_CODES}), "rate") for name in ("ccy", "order_currency", "unit")
}
"""Kinds that cannot be decided."""
