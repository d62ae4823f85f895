"""A first `stayworth.toml` for a file of orders: columns guessed from names and types, every key explained."""

import json
from collections.abc import Mapping
from pathlib import Path

import duckdb

from features.errors import InputError, nearest
from features.ingest.csv_checks import identifier, refuse_utf16
from features.ingest.duckdb_connection import connect
from features.ingest.input_files import scan_of
from features.ingest.schema import ORDERS
from features.ingest.table_source import Database, parse_source

SYNONYMS = {
    "customer_id": "customer id|customerid|customer no|customer number|customer|client id|client no|client|"
    "user id|userid|user|account id|member id|buyer id",
    "ordered_at": "ordered at|order date|orderdate|invoice date|invoicedate|date|datetime|timestamp|ts|created at|"
    "purchase date|transaction date|order purchase timestamp|time|day",
    "amount": "amount|total|revenue|sales|line total|order total|order value|value|spend|payment value|dollar value|"
    "net sales|total price|sum",
    "order_id": "order id|orderid|order|order no|order number|invoice|invoice no|invoiceno|transaction id|receipt id",
    "product_id": "product id|productid|product|sku|stock code|stockcode|item id|item|article",
    "quantity": "quantity|qty|units|number of cds",
    "unit_price": "unit price|unitprice|price",
    "cost": "cost|unit cost|cogs",
    "currency": "currency|currency code",
    "recorded_at": "recorded at|loaded at|ingested at|inserted at|updated at",
    "category": "category|product category|department",
    "channel": "channel|source channel|sales channel",
    "discount": "discount|rebate",
}
"""Names that shops give our columns, likeliest first; lower case, any separators."""

TIME_FORMATS = tuple(
    f"{day}{time}"
    for day in ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%Y%m%d", "%d %b %Y")
    for time in (" %H:%M:%S", " %H:%M", "")
)
"""Tried in order on times that are not ISO."""


def config_text(orders: str, *, config_folder: Path, given: Mapping[str, str] | None = None) -> str:
    """The text of a config for a file, folder or glob of orders. Raises InputError if a required column is missing.

    given: our columns → theirs, as far as the user names them; the others are guessed. Business numbers cannot be
    guessed: they are marked ASSUMED.
    """
    source = parse_source(orders)
    if isinstance(source, Database):
        raise InputError(
            "takes files, not an address",
            where="init",
            next="Give it a CSV of a few orders, then put the database in its place: docs/how-to/postgresql.md.",
        )
    file = source.paths()[0]
    refuse_utf16(file)
    with connect() as db:
        try:
            scan = scan_of(file)
            types = {row[0]: row[1] for row in db.sql(f"describe select * from {scan}").fetchall()}
            columns = _guess_columns(types, given or {}, where=str(file))
            time_formats = _time_formats(db, scan, columns["ordered_at"], types[columns["ordered_at"]], where=str(file))
            currency = _currency(db, scan, columns.get("currency"))
        except duckdb.Error as error:
            what = str(error).splitlines()[0]
            raise InputError(f"cannot be read: {what}", where=str(file), next="Is it CSV or Parquet?") from None
    zoned = types[columns["ordered_at"]] == "TIMESTAMP WITH TIME ZONE"
    path = Path(orders).absolute()
    relative = path.relative_to(config_folder) if path.is_relative_to(config_folder) else path
    mapping = "\n".join(f"{ours} = {json.dumps(theirs)}" for ours, theirs in columns.items() if ours != theirs)
    return TEMPLATE.format(
        orders=json.dumps(relative.as_posix()),
        mapping=mapping or "# every column has our name already",
        names=json.dumps(list(types), ensure_ascii=False),
        timezone="# timezone is not needed: the times carry one"
        if zoned
        else 'timezone = "UTC"                 # GUESS: the zone in which the times were written',
        format=_format_line(time_formats),
        currency=currency or "USD",
        currency_note="found in the file" if currency else "ASSUMED: ISO 4217",
    )


def _format_line(formats: list[str]) -> str:
    if not formats:
        return '# format = "%d/%m/%Y %H:%M"      # strptime, where times are not ISO'
    others = " and ".join(formats[1:])
    note = f"GUESS: {others} would fit too" if others else "strptime, since the times are not ISO"
    return f'format = "{formats[0]}"                # {note}'


def _guess_columns(types: dict[str, str], given: Mapping[str, str], *, where: str) -> dict[str, str]:
    """Our names → theirs: as given, the others guessed from the names."""
    for names, known in ((list(given), list(ORDERS)), (list(given.values()), list(types))):
        if wrong := [name for name in names if name not in known]:
            next_ = f"--column OURS=THEIRS; {nearest(wrong[0], known) or 'there are ' + ', '.join(known)}"
            raise InputError(f"there is no column '{wrong[0]}'", where=where, next=next_)
    plain = {" ".join(name.lower().replace("_", " ").replace("-", " ").split()): name for name in reversed(types)}
    columns = dict(given)
    for ours, synonyms in SYNONYMS.items():
        candidates = [plain[name] for name in [ours.replace("_", " "), *synonyms.split("|")] if name in plain]
        candidates = [name for name in candidates if name not in columns.values()]
        if candidates and ours not in given:
            columns[ours] = candidates[0]
    if "amount" not in columns and not {"quantity", "unit_price"} <= columns.keys():
        numbers = [name for name, kind in types.items() if kind in ("DOUBLE", "FLOAT") and name not in columns.values()]
        if len(numbers) == 1:
            columns["amount"] = numbers[0]
    missing = [ours for ours, column in ORDERS.items() if column.required and ours not in columns]
    if {"quantity", "unit_price"} <= columns.keys() and "amount" in missing:
        missing.remove("amount")
    if missing:
        raise InputError(
            f"no column looks like {' or '.join(missing)}; the columns are {', '.join(types)}",
            where=where,
            next="Say which they are: add "
            + " ".join(f"--column {ours}=NAME" for ours in missing)
            + (" (quantity and unit_price stand in for amount)." if "amount" in missing else "."),
        )
    return columns


def _time_formats(db: duckdb.DuckDBPyConnection, scan: str, column: str, kind: str, *, where: str) -> list[str]:
    """The strptime formats that fit a column of times, likeliest first; none if it holds times or ISO text already."""
    if kind.startswith(("TIMESTAMP", "DATE")):
        return []
    text = f"{identifier(column)}::text"

    def fits(parsed: str) -> bool:
        bad, rows = db.sql(
            f"select count(*) filter ({parsed} is null), count(*) from (select * from {scan} limit 100000) "
            f"where {text} is not null"
        ).fetchall()[0]
        return bool(rows and bad <= rows // 100)

    if kind == "VARCHAR" and fits(f"try_cast({text} as timestamp)"):
        return []
    formats = [form for form in TIME_FORMATS if fits(f"try_strptime({text}, '{form}')")]
    if not formats:
        if not db.sql(f"from {scan} limit 1").fetchall():
            raise InputError("has no rows", where=where, next="Export it again.")
        raise InputError(
            f"'{column}' holds no times that can be read", where=where, next="Write time.format in the config by hand."
        )
    return formats


def _currency(db: duckdb.DuckDBPyConnection, scan: str, column: str | None) -> str | None:
    if not column:
        return None
    name = identifier(column)
    codes = db.sql(f"select distinct upper(trim({name})) from {scan} where {name} is not null limit 2").fetchall()
    return codes[0][0] if len(codes) == 1 and len(codes[0][0]) == 3 else None


TEMPLATE = """\
# Stayworth: who is about to leave, what they are worth, and what it pays to keep them.
# Lines marked GUESS were read off the file, lines marked ASSUMED are examples: put your own numbers there.

[data]                               # relative paths start at this file's folder
orders = {orders}
# exclude_products = ["POST", "TEST%"]   # product ids that are not purchases; % stands for anything
# interactions = "visits/*.parquet"      # customer_id, at, kind (visit, complaint, survey_score, …), value
# customers = "customers.csv"            # customer_id and attributes, one row per customer; its left_at (when they
#                                        # left, else empty) makes churn contractual
# treatments = "treatments.csv"          # past contacts: customer_id, at, campaign, offer, treated (yes, or no for
#                                        # customers held out), cost
# costs = "costs.csv"                    # customer_id, at, kind (service, delivery, marketing, …), amount
# Any of them may be a database: "postgresql://user@host/shop#orders", or "…#select … from …"

[columns.orders]                     # ours = "theirs"; the columns are {names}
{mapping}
# The other tables likewise: [columns.interactions], [columns.customers], [columns.treatments], [columns.costs]

[time]
{timezone}
{format}
horizon_days = 90                    # no order for this long (or left_at within it) is churn; `stayworth check` advises
# horizons = [30, 180]                 # further horizons to score, from the same model

[money]
currency = "{currency}"                     # {currency_note}
gross_margin = 0.40                  # ASSUMED: share of revenue that is margin, where a line has no cost
annual_discount_rate = 0.10          # ASSUMED: discount on money that comes a year later
lifetime_days = 1095                 # ASSUMED: how far customer lifetime value looks

# [features]
# attributes = ["plan"]                # columns of customers; they carry no time: name only what was always true

[train]
trials = 30                          # Optuna trials for the churn trees and for the value trees
seed = 7
# rows = 1_000_000                     # most rows to grow trees on; default 100_000; more are streamed from disk
# device = "cuda"                      # grow them on a GPU
# monotone = {{recency_days = 1}}        # churn may only rise (1) or only fall (-1) with a feature

[tracking]
uri = "sqlite:///mlflow.db"          # or the address of an MLflow server

[plan]
holdout_share = 0.1                  # share of the chosen customers held out at random, to measure the effect
salt = "stayworth"                   # changes who is held out
# do_not_contact = "do_not_contact.csv"  # CSV or Parquet with customer_id: nobody in it is contacted
# quiet_days = 30                      # suppress customers contacted by another campaign in the last so many days
# [plan.capacity]                      # the most contacts by channel in a campaign
# email = 5000

[output]
folder = "runs"                      # for the latest scores, plan, metrics and report

[[offers]]                           # one block per offer; every number here is ASSUMED
name = "voucher"
contact_cost = 0.50                  # per customer contacted
incentive_cost = 5.00                # paid when redeemed
# incentive_share = 0.25               # instead: share of the margin of one expected order; 10 % off at 40 % margin
save_rate = 0.10                     # share of those who can be saved it keeps; or {{alpha = 2, beta = 18}}
#                                    # or "measured": as `stayworth readout` has measured it so far
redeem_rate = 0.30                   # share of those who would have stayed anyway who redeem it
# channel = "email"                    # offers of one channel share its capacity
"""
