"""Kinds of file that shops hand over, each written from the shop of tests/pipelines/exports.py."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from tests.pipelines.exports import (
    LINES,
    ORDERS,
    csv,
    duckdb_file,
    european,
    json_lines,
    money,
    packed,
    parquet,
    plain,
    sqlite,
    times,
    workbook,
)


class Kind(NamedTuple):
    """A way to write the orders down."""

    write: Callable[[Path], Path]
    given: dict[str, str] = {}  # noqa: RUF012
    """Columns that the user names."""
    more: dict[str, str] = {}  # noqa: RUF012
    """Further words for `init`."""
    orders: pd.DataFrame = ORDERS
    """The truth."""
    config: str = ""
    """Lines that the user adds to the config."""


def table(name: str = "orders.csv", **how):
    """A kind of delimited text; how: see `csv`, and columns to change."""
    layout = {key: how.pop(key) for key in ("sep", "encoding", "above", "below") if key in how}
    frame = how.pop("frame", None)
    return lambda folder: csv(folder / name, plain(**how) if frame is None else frame, **layout)


GERMAN = {"order_id": "Bestellnummer", "customer_id": "Kundennummer", "ordered_at": "Bestelldatum", "amount": "Betrag"}
german = plain(ordered_at=times("%d.%m.%Y %H:%M"), amount=european(LINES["amount"])).rename(columns=GERMAN)
EPOCH = LINES["ordered_at"].astype("datetime64[s]").astype("int64")
SERIAL = (LINES["ordered_at"] - pd.Timestamp("1899-12-30")) / pd.Timedelta(days=1)
CENTS = (LINES["amount"] * 100).round().astype(int)
IDS = LINES["customer_id"]
WHOLE = ORDERS.assign(customer_id=ORDERS["customer_id"].str.lstrip("0"))
MAIL = IDS.map("anna{}@example.org".format)
MAILS = ORDERS.assign(customer_id=ORDERS["customer_id"].map("anna{}@example.org".format))
TO_MINUTES = ORDERS.assign(ordered_at=ORDERS["ordered_at"].dt.floor("min"))
TO_DAYS = ORDERS.assign(ordered_at=ORDERS["ordered_at"].dt.floor("D"))
HOUR = pd.Timedelta(hours=1)
TOTAL = LINES.groupby("order_id")["amount"].transform("sum")
IS_FIRST = ~LINES["order_id"].duplicated()
SIZE = LINES.groupby("order_id", sort=False).size().to_numpy()
INDIAN = ORDERS.assign(
    amount=(LINES["amount"] % 1000).groupby(LINES["order_id"], sort=False).sum().to_numpy() + 123_000 * SIZE
)
MONTHS = ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."]
FRENCH = LINES["ordered_at"].map(lambda at: f"{at.day} {MONTHS[at.month - 1]} {at:%Y %H:%M}")
shopify = pd.DataFrame(
    {
        "Name": "#" + LINES["order_id"],
        "Email": MAIL,
        "Financial Status": np.where(IS_FIRST, "paid", ""),
        "Paid at": times("%Y-%m-%d %H:%M:%S +0000"),
        "Currency": np.where(IS_FIRST, "USD", ""),
        "Subtotal": money(TOTAL).where(IS_FIRST, ""),
        "Total": money(TOTAL).where(IS_FIRST, ""),
        "Discount Amount": np.where(IS_FIRST, "0.00", ""),
        "Created at": times("%Y-%m-%d %H:%M:%S +0000"),
        "Lineitem quantity": "1",
        "Lineitem name": LINES["sku"],
        "Lineitem sku": LINES["sku"],
        "Refunded Amount": np.where(IS_FIRST, "0.00", ""),
        "Notes": "please\nring twice",
    }
)
woo = ORDERS.assign(
    status="completed", billing_email="x", currency="EUR", date=ORDERS["ordered_at"], order_total=ORDERS["amount"]
)
woo = woo.drop(columns=["ordered_at", "amount"])
no_purchase = woo.head(60).assign(
    status=["cancelled", "failed", "refunded"] * 20, order_id=lambda rows: "9" + rows["order_id"]
)
stripe = pd.DataFrame(
    {
        "id": "ch_" + ORDERS["order_id"],
        "Created date (UTC)": ORDERS["ordered_at"],
        "Amount": ORDERS["amount"] + 5,
        "Amount Refunded": 5.0,
        "Currency": "usd",
        "Status": "Paid",
        "Customer ID": ORDERS["customer_id"],
    }
)
sap = pd.DataFrame(
    {
        "VBELN": LINES["order_id"],
        "KUNNR": IDS,
        "ERDAT": times("%Y%m%d"),
        "NETWR": european(LINES["amount"]),
        "WAERK": "EUR",
        "MATNR": LINES["sku"],
    }
)
olist = pd.DataFrame(
    {
        "order_id": LINES["order_id"],
        "customer_id": "c" + LINES["order_id"],
        "customer_unique_id": IDS,
        "order_status": "delivered",
        "order_purchase_timestamp": times("%Y-%m-%d %H:%M:%S"),
        "price": money(LINES["amount"]),
    }
)
magento = pd.DataFrame(
    {
        "increment_id": LINES["order_id"],
        "customer_email": MAIL,
        "status": "complete",
        "created_at": times("%Y-%m-%d %H:%M:%S"),
        "sku": LINES["sku"],
        "qty_ordered": "1",
        "grand_total": money(TOTAL),
    }
)
amazon = pd.DataFrame(
    {
        "amazon-order-id": LINES["order_id"],
        "purchase-date": times("%Y-%m-%dT%H:%M:%S+00:00"),
        "buyer-email": MAIL,
        "order-status": "Shipped",
        "sku": LINES["sku"],
        "quantity": "1",
        "currency": "USD",
        "item-price": money(LINES["amount"]),
    }
)
RIGHT = {
    "plain": Kind(table()),
    "semicolon": Kind(table(sep=";")),
    "tab in txt": Kind(table("orders.txt", sep="\t")),
    "bar": Kind(table(sep="|")),
    "caret": Kind(table(sep="^")),
    "tilde in dat": Kind(table("orders.dat", sep="~")),
    "control character": Kind(table(sep="\x01")),
    "sep= line": Kind(table(sep=";", above="sep=;\n")),
    "preamble": Kind(table(above="Orders of 2024 to 2026\nprinted on 2026-11-01\n\n")),
    "preamble of empty cells": Kind(table(above="Report,,,\n,,,\n")),
    "bom": Kind(table(encoding="utf-8-sig")),
    "utf-16": Kind(table(encoding="utf-16", sep="\t")),
    "latin-1": Kind(table(frame=plain().assign(Ort="Köln"), encoding="latin-1")),
    "utf-16 without mark": Kind(table(encoding="utf-16-le")),
    "gz": Kind(lambda folder: packed(folder / "orders.csv.gz", plain())),
    "zip": Kind(lambda folder: packed(folder / "orders.zip", plain(), ";")),
    "json lines": Kind(lambda folder: json_lines(folder / "orders.jsonl", plain()), {"customer_id": "customer.id"}),
    "json array": Kind(lambda folder: _json_array(folder / "orders.json")),
    "json of an api": Kind(lambda folder: _json_array(folder / "orders.json", inside="orders")),
    "sqlite": Kind(lambda folder: sqlite(folder / "shop.sqlite", plain())),
    "sqlite in a db": Kind(lambda folder: Path(f"{sqlite(folder / 'shop.db', plain(), 'sales')}#sales")),
    "duckdb": Kind(lambda folder: duckdb_file(folder / "shop.duckdb", plain())),
    "duckdb query": Kind(lambda folder: Path(f"{duckdb_file(folder / 'shop.duckdb', plain())}#select * from orders")),
    "xlsx": Kind(lambda folder: workbook(folder / "o.xlsx", {"Sheet1": plain(ordered_at=LINES["ordered_at"], amount=LINES["amount"])})),
    "xlsx below a title": Kind(lambda folder: workbook(folder / "o.xlsx", {"Sheet1": plain(amount=LINES["amount"])}, above=3)),
    "xlsx, a second sheet": Kind(
        lambda folder: workbook(folder / "o.xlsx", {"About": pd.DataFrame({"a": ["x"]}), "Data": plain()}), more={"sheet": "Data"}
    ),
    "parquet text": Kind(lambda folder: parquet(folder / "o.parquet", **plain(amount=european(LINES["amount"])).to_dict("list"))),
    "parquet with zones": Kind(
        lambda folder: parquet(folder / "o.parquet", **(plain().to_dict("list") | {"ordered_at": LINES["ordered_at"].dt.tz_localize("UTC").tolist()}))
    ),
    "parquet epoch": Kind(lambda folder: parquet(folder / "o.parquet", **(plain().to_dict("list") | {"ordered_at": EPOCH.to_numpy()}))),
    "decimal comma": Kind(table(frame=german, sep=";")),
    "comma, no thousands": Kind(table(amount=european(LINES["amount"], ""), sep=";")),
    "space thousands": Kind(table(amount=european(LINES["amount"], "\u202f"), sep="\t")),
    "apostrophe thousands": Kind(table(amount=LINES["amount"].map(lambda value: f"{value:,.2f}".replace(",", "'")))),
    "comma thousands": Kind(table(amount=money(LINES["amount"], "{:,.2f}"))),
    "indian thousands": Kind(table(amount=(LINES["amount"] % 1000).map("1,23,{:06.2f}".format)), orders=INDIAN),
    "pound": Kind(table(amount=money(LINES["amount"], "£{:,.2f}"))),
    "euro behind": Kind(table(amount=european(LINES["amount"]) + " €", sep=";")),
    "code": Kind(table(amount="USD " + money(LINES["amount"], "{:,.2f}"))),
    "brl": Kind(table(amount="R$ " + european(LINES["amount"]), sep=";")),
    "blanks around": Kind(table(amount=" " + money(LINES["amount"]) + " ")),
    "am pm": Kind(table(ordered_at=times("%m/%d/%Y %I:%M %p")), orders=TO_MINUTES),
    "am pm iso": Kind(table(ordered_at=times("%Y-%m-%d %I:%M:%S %p"))),
    "two-digit years": Kind(table(ordered_at=times("%d/%m/%y %H:%M")), orders=TO_MINUTES),
    "year first, two digits": Kind(table(ordered_at=times("%y-%m-%d")), orders=TO_DAYS),
    "day first": Kind(table(ordered_at=times("%d-%m-%Y %H:%M:%S"))),
    "german dots": Kind(table(ordered_at=times("%d.%m.%Y %H:%M:%S"))),
    "english months": Kind(table(ordered_at=times("%d %B %Y %H:%M:%S"))),
    "american months": Kind(table(ordered_at=times("%b %d, %Y %I:%M:%S %p"))),
    "french months": Kind(table(ordered_at=FRENCH), orders=TO_MINUTES),
    "sas": Kind(table(ordered_at=times("%d%b%Y:%H:%M:%S").str.upper())),
    "oracle": Kind(table(ordered_at=times("%d-%b-%y %I.%M.%S").str.upper() + ".000000000 " + times("%p"))),
    "javascript": Kind(table(ordered_at=times("%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)"))),
    "mail header": Kind(table(ordered_at=times("%a, %d %b %Y %H:%M:%S +0000"))),
    "offset behind a blank": Kind(table(ordered_at=(LINES["ordered_at"] - 4 * HOUR).dt.strftime("%Y-%m-%d %H:%M:%S -0400"))),
    "offset with colon": Kind(table(ordered_at=(LINES["ordered_at"] + 2 * HOUR).dt.strftime("%Y-%m-%dT%H:%M:%S+02:00"))),
    "zone by name": Kind(table(ordered_at=(LINES["ordered_at"] - 7 * HOUR).dt.strftime("%Y-%m-%d %H:%M:%S PDT"))),
    "iso basic": Kind(table(ordered_at=times("%Y%m%dT%H%M%SZ"))),
    "nanoseconds": Kind(table(ordered_at=times("%Y-%m-%dT%H:%M:%S.000000000Z"))),
    "epoch s": Kind(table(ordered_at=EPOCH)),
    "epoch ms": Kind(table(ordered_at=EPOCH * 1000)),
    "excel serial": Kind(table(ordered_at=SERIAL.round(6))),
    "dates without times": Kind(table(ordered_at=times("%Y%m%d")), orders=TO_DAYS),
    "midnight without a time": Kind(table(ordered_at=times("%m/%d/%Y %H:%M").str.removesuffix(" 00:00")), orders=TO_MINUTES),
    "null words for ids": Kind(lambda folder: csv(folder / "o.csv", pd.concat([plain(), plain(customer_id="NULL").head(9), plain(customer_id="nan").head(9)]))),
    "null words among mails": Kind(lambda folder: csv(folder / "o.csv", pd.concat([plain(customer_id=MAIL), plain(customer_id="None").head(9)])), orders=MAILS),
    "float ids": Kind(table(customer_id=IDS.str.lstrip("0") + ".0", order_id=LINES["order_id"] + ".0"), orders=WHOLE),
    "discount is a code": Kind(table(discount=np.where(LINES.index % 3, "", "SUMMER10"))),
    "cost n/a": Kind(table(cost=np.where(LINES.index % 3, "1.00", "n/a"))),
    "updated_at": Kind(table(updated_at="2026-11-20 02:00:00")),
    "recorded_at unmapped": Kind(table(recorded_at="2026-11-20 02:00:00")),
    "source unmapped": Kind(lambda folder: csv(folder / "o.csv", plain(source=["web", "shop"] * (len(LINES) // 2) + ["web"] * (len(LINES) % 2)))),
    "currency in words": Kind(table(currency="US Dollar")),
    "shopify": Kind(table(frame=shopify), orders=MAILS),
    "woocommerce statuses": Kind(table(frame=pd.concat([woo, no_purchase]))),
    "stripe payments": Kind(table(frame=stripe)),
    "stripe api": Kind(table(frame=pd.DataFrame({"customer": IDS, "created": EPOCH, "amount": CENTS, "currency": "usd", "id": LINES["order_id"]}))),
    "sap": Kind(table(frame=sap, sep=";"), orders=TO_DAYS),
    "olist": Kind(table(frame=olist)),
    "magento totals": Kind(table(frame=magento), orders=MAILS),
    "amazon": Kind(table("orders.txt", frame=amazon, sep="\t"), orders=MAILS),
    "ids lower by config": Kind(table(customer_id=MAIL.where(LINES.index % 2 == 0, MAIL.str.upper() + " ")), orders=MAILS, config='[read.orders]\nids = "lower"\n'),
    "order totals by config": Kind(table(amount=money(TOTAL)), config='[read.orders]\namount_of = "order"\n'),
    "twice by config": Kind(lambda folder: csv(folder / "o.csv", pd.concat([plain()] * 2)), config='[read.orders]\nrepeated_lines = "drop"\n'),
    "cents by config": Kind(table(amount=CENTS), config='[read.orders]\namount_in = "cents"\n'),
    "several currencies with a rate": Kind(
        table(currency=np.where(LINES.index % 2, "USD", "EUR"), fx=np.where(LINES.index % 2, "1", "2"), amount=money(LINES["amount"].where(LINES.index % 2 == 1, LINES["amount"] / 2), "{:.3f}")),
        config='[read.orders]\nrate = "fx"\n',
    ),
    "one of the currencies": Kind(
        lambda folder: csv(folder / "o.csv", pd.concat([plain(currency="USD"), plain(currency="EUR").assign(order_id="x")])),
        config="[read.orders]\nwhere = \"currency = 'USD'\"\n",
    ),
}  # fmt: skip
"""Kinds that come out as the truth."""
DATED = plain().assign(ordered_at=np.where(LINES.index == 5, "1900-01-01 00:00:00", plain()["ordered_at"]))
EPOCHS = plain().assign(ordered_at=np.where(LINES.index % 50 == 5, "1970-01-01 00:00:00", plain()["ordered_at"]))
NIGHT = LINES["ordered_at"].dt.floor("D") + pd.to_timedelta(8 * 60 + LINES["ordered_at"].dt.minute * 15, "min")
"""Times in Tokyo of a shop that sleeps from 11 at night to 8 in the morning."""
LATE = '[columns.orders]\nrecorded_at = "updated_at"\n'
WARNED = {
    "order totals on each line": (table(amount=money(TOTAL)), "repeated_order_totals"),
    "pasted twice": (lambda folder: csv(folder / "o.csv", pd.concat([plain()] * 2)), "repeated_lines"),
    "guest 0": (table(customer_id=IDS.where(LINES.index % 3 > 0, "0")), "placeholder_id"),
    "guest by name": (table(customer_id=IDS.where(LINES.index % 3 > 0, "guest")), "placeholder_id"),
    "a till": (table(customer_id=IDS.where(LINES.index % 3 > 0, "00777")), "one_customer_share"),
    "mails in capitals": (table(customer_id=MAIL.where(LINES.index % 2 == 0, MAIL.str.upper())), "ids_differ_by_case"),
    "lost zeros": (table(customer_id=IDS.where(LINES.index % 2 == 0, IDS.str.lstrip("0"))), "ids_differ_by_zeros"),
    "a point on some": (table(customer_id=IDS.str.lstrip("0").where(LINES.index % 2 == 0, IDS.str.lstrip("0") + ".0")), "ids_differ_by_point"),
    "ids of orders": (table(customer_id="c" + LINES["order_id"]), "everybody_bought_once"),
    "cents": (table(amount=CENTS), "minor_units"),
    "null date of SQL Server": (table(frame=DATED), "placeholder_dates"),
    "a line of totals": (table(below=f"Total,,2026-10-30 00:00:00,{LINES['amount'].sum():.2f}\n"), "totals_lines"),
    "a few unread amounts": (table(amount=money(LINES["amount"]).where(LINES.index != 3, "see note")), "unread_amounts"),
    "a gap": (table(frame=plain()[~LINES["ordered_at"].between("2025-05-01", "2025-11-01")]), "gap_in_days"),
    "a migration": (table(ordered_at=times("%Y-%m-%d %H:%M:%S").where(LINES.index % 3 > 0, "2025-01-01 00:00:00")), "jump_in_days"),
    "a fee": (table(fee="1.50"), "fee_column_unused"),
    "ids as floats": (table(customer_id=IDS.str.lstrip("0") + ".0"), "ids_with_point"),
    "refunds without a minus": (table(type=np.where(LINES.index % 9, "sale", "refund")), "refunds_without_minus"),
    "no customer on many": (table(customer_id=IDS.where(LINES.index % 5 > 0, "")), "no_customer"),
    "two currency signs": (table(amount=np.where(LINES.index % 2, "$", "€") + money(LINES["amount"])), "currency_signs"),
    "updated_at taken for recorded_at": (table(updated_at="2026-11-20 02:00:00"), "late_recorded_at", LATE),
    "the night at noon": (table(ordered_at=(NIGHT - 9 * HOUR).dt.strftime("%Y-%m-%d %H:%M:%S")), "night_at_noon"),
    "the epoch for a missing date": (table(frame=EPOCHS), "placeholder_dates"),
    "a few dates in the future": (table(frame=plain().assign(ordered_at=np.where(LINES.index == 5, "2031-01-01 00:00:00", plain()["ordered_at"]))), "future_dates"),
    "a sheet for each year": (
        lambda folder: workbook(folder / "o.xlsx", {"2024": plain().head(200), "2025": plain().tail(200)}),
        "sheets_not_read",
    ),
}  # fmt: skip
"""Kinds that are read as they stand, with a warning: its code."""
ASKED = {
    "1.250": (table(amount=money((LINES["amount"] * 1000).round() / 1000 % 900 + 1, "{:.3f}")), "decimal"),
    "swappable dates": (table(ordered_at=(pd.Timestamp("2025-01-01") + pd.to_timedelta(LINES.index % 12, "D")).strftime("%m/%d/%Y")), "[time] format"),
    "two currencies": (table(currency=np.where(LINES.index % 2, "USD", "EUR")), "rate"),
    "no column of customers": (table(frame=plain().rename(columns={"customer_id": "wer"})), "customer_id=NAME"),
    "no times": (table(ordered_at="soon"), "--time-format"),
    "mostly words": (table(amount="much"), "read.orders"),
    "a where that is none": (table(), "columns are"),
}  # fmt: skip
"""Kinds that cannot be decided: the config is written, and the error says what to write into it."""


def _json_array(path: Path, inside: str = "") -> Path:
    rows = plain().to_json(orient="records")
    path.write_text(f'{{"{inside}": {rows}}}' if inside else rows)
    return path
