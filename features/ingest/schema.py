"""The columns of each input table: our names, their meaning, and those that are required.

`[columns.orders]` in the config maps our name to the user's: `ordered_at = "InvoiceDate"`. A column that is not
mapped keeps its name.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from features.errors import InputError, nearest


@dataclass(frozen=True)
class Column:
    """One input column."""

    says: str
    required: bool = False


ORDERS = {
    "customer_id": Column("the customer who bought; any text", required=True),
    "ordered_at": Column("when; a date or a time, with zone or in time.timezone", required=True),
    "amount": Column("revenue of the line in currency units; negative is a refund", required=True),
    "order_id": Column("lines with one order_id are one order; without it, one customer and instant"),
    "product_id": Column("what was bought; finds the order that a refund belongs to"),
    "category": Column("the kind of product"),
    "quantity": Column("pieces; with unit_price, stands in for amount"),
    "unit_price": Column("with quantity, stands in for amount"),
    "cost": Column("cost of the line; where absent, money.gross_margin gives the margin"),
    "discount": Column("what was given off the line's price, in currency units"),
    "channel": Column("where the order came from: shop, web, app, …"),
    "currency": Column("one for the whole log"),
    "recorded_at": Column("when the line became known, if later than ordered_at"),
    "source": Column("which export a line came from, where one file holds several that overlap"),
}
"""The table `orders`."""

INTERACTIONS = {
    "customer_id": Column("the customer; any text", required=True),
    "at": Column("when; a date or a time, with zone or in time.timezone", required=True),
    "kind": Column("what it was: visit, email_open, complaint, survey_score, referral, …", required=True),
    "value": Column("its value, such as the score of a survey"),
    "recorded_at": Column("when it became known, if later than at"),
}
"""The table `interactions`."""

CUSTOMERS = {
    "customer_id": Column("the customer; any text, once", required=True),
    "joined_at": Column("when they joined; customers who have not ordered yet are prospects in the report"),
    "left_at": Column("when they left, empty if they have not; a table with this column makes churn contractual"),
    "left_reason": Column("why they left, in a word or two; the report counts the loss by each cause"),
    "wallet_per_year": Column("what they spend per year with all sellers, in currency units, if a survey tells"),
}
"""The table `customers`; other columns are attributes, used as features if features.attributes names them."""

TREATMENTS = {
    "customer_id": Column("the customer; any text", required=True),
    "at": Column("when they were contacted or held out; a date or a time, as in orders", required=True),
    "campaign": Column("its name, as given to `plan`", required=True),
    "offer": Column("the offer; for customers held out, the one that they would have got", required=True),
    "treated": Column("true, 1 or yes: contacted; false, 0 or no: held out at random", required=True),
    "cost": Column("what the contact cost in the end, in currency units; empty where it was not booked"),
    "recorded_at": Column("when it became known, if later than at"),
}
"""The table `treatments`: a row per customer and contact of a campaign, and a row per customer held out."""

COSTS = {
    "customer_id": Column("the customer; any text", required=True),
    "at": Column("when it arose; a date or a time, as in orders", required=True),
    "kind": Column("its purpose: service, delivery, marketing, …", required=True),
    "amount": Column("in currency units; negative is a cost given back", required=True),
    "recorded_at": Column("when it became known, if later than at"),
}
"""The table `costs`: costs of customers apart from the cost of the goods they bought."""

TIMES = {"orders": "ordered_at", "interactions": "at", "customers": "left_at", "treatments": "at", "costs": "at"}
"""The column of time of each table."""

SIDE_TABLES = {"treatments": TREATMENTS, "costs": COSTS}
"""Our columns of each side table: no feature is made of it."""

TABLES = {"orders": ORDERS, "interactions": INTERACTIONS, "customers": CUSTOMERS, **SIDE_TABLES}
"""Our columns of each table."""

ZERO_DIGIT_CURRENCIES = frozenset(
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split()  # noqa: SIM905
)
THREE_DIGIT_CURRENCIES = frozenset("BHD IQD JOD KWD LYD OMR TND".split())  # noqa: SIM905


def minor_units(currency: str) -> int:
    """Minor units in one unit of an ISO 4217 currency.

    >>> minor_units("GBP"), minor_units("JPY"), minor_units("KWD")
    (100, 1, 1000)
    """
    return 1 if currency in ZERO_DIGIT_CURRENCIES else 1000 if currency in THREE_DIGIT_CURRENCIES else 100


ONLY_IF_MAPPED = ("recorded_at", "source")
"""Columns that change what is known when, or which rows count: a table that merely has the name does not mean them."""


def match_columns(
    table: str,
    columns: list[str],
    mapping: Mapping[str, str],
    *,
    extra: tuple[str, ...] = (),
    more: Mapping[str, str] | None = None,
    is_typed: bool = False,
    where: str,
) -> dict[str, str]:
    """Match our columns to those of a table; raises InputError if a required or mapped one is missing.

    extra: columns wanted beyond those of the schema, under their own names; they are required. more: further ones,
    ours → theirs. is_typed: the table is a frame made for us, so that every column with a name of ours is meant.
    """
    mapping = {**mapping, **(more or {})}
    ours_of = TABLES[table] | {name: Column("an attribute", required=True) for name in extra}
    ours_of |= {name: Column("named by the settings") for name in more or {}}
    names = {
        ours: mapping.get(ours, ours) for ours in ours_of if ours in mapping or is_typed or ours not in ONLY_IF_MAPPED
    }
    present = {ours: name for ours, name in names.items() if name in columns}
    wrong = [ours for ours in mapping if mapping[ours] not in columns]
    missing = [ours for ours, column in ours_of.items() if column.required and ours not in present]
    if "amount" in missing and {"quantity", "unit_price"} <= present.keys():
        missing.remove("amount")
    if not (wrong or missing):
        return present
    named = [f"'{names[ours]}' ({ours})" for ours in dict.fromkeys([*missing, *wrong])]
    if set(missing + wrong) <= set(extra):
        raise InputError(
            f"attributes {', '.join(map(repr, missing))} not found; found {', '.join(columns)}",
            where=where,
            next="Correct [features] attributes in the config.",
        )
    hints = [hint for ours in [*missing, *wrong] if (hint := nearest(names[ours], columns))]
    raise InputError(
        f"{'column' if len(named) == 1 else 'columns'} {', '.join(named)} not found; found {', '.join(columns)}",
        where=where,
        next=f'Name them in the config, e.g. [columns.{table}] {(missing or wrong)[0]} = "{columns[0]}"'
        + (f" ({hints[0]})." if hints else "."),
    )
