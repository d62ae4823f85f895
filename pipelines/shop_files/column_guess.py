"""Guess which column of a table is which of ours: as the user says, as the platform has it, by the usual names."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from features.errors import InputError, nearest
from features.ingest.schema import ORDERS
from pipelines.shop_files import platforms
from pipelines.shop_files.platforms import Platform, first_of, plain_name

SYNONYMS = {
    "customer_id": "customer id|customerid|customer no|customer number|customer|client id|client no|client|"
    "user id|userid|user|account id|member id|buyer id|buyer|shopper id|cust id|customer code|customer key|"
    "customer email|email|e-mail|mail|kundennummer|kunden-nr|kundennr|kunde|kunden id|id client|numéro client|"
    "cliente|id cliente|klantnummer|kundnr|customer name",
    "ordered_at": "ordered at|order date|orderdate|invoice date|invoicedate|date|datetime|timestamp|ts|created at|"
    "created|purchase date|transaction date|order purchase timestamp|order time|order datetime|sale date|sold at|"
    "paid at|purchased at|time|day|bestelldatum|datum|auftragsdatum|rechnungsdatum|date de commande|date commande|"
    "fecha|fecha pedido|data|data ordine|orderdatum|posting date|bill date|processed at",
    "amount": "amount|total|revenue|sales|line total|order total|order value|value|spend|payment value|dollar value|"
    "net sales|total price|sum|net amount|grand total|amount paid|total amount|row total|sales amount|turnover|"
    "betrag|umsatz|summe|gesamtbetrag|gesamt|montant|montant ttc|importe|importo|bedrag|total paid|paid amount|"
    "subtotal",
    "order_id": "order id|orderid|order|order no|order number|invoice|invoice no|invoiceno|invoice id|invoice number|"
    "transaction id|receipt id|receipt no|bestellnummer|auftragsnummer|rechnungsnummer|numéro commande|pedido|ordine|"
    "order reference|order ref|bill no|document no",
    "product_id": "product id|productid|product|sku|stock code|stockcode|item id|item|article|artikel|artikelnummer|"
    "item no|product code|référence|producto|asin",
    "quantity": "quantity|qty|units|number of cds|qty ordered|menge|anzahl|quantité|cantidad|pieces|pcs",
    "unit_price": "unit price|unitprice|price|price each|einzelpreis|prix unitaire|precio",
    "cost": "cost|unit cost|cogs|cost of goods|einkaufspreis",
    "currency": "currency|currency code|order currency|transaction currency|iso currency|currency iso|ccy|cur|währung|"
    "devise|moneda|valuta",
    "category": "category|product category|department|warengruppe|kategorie",
    "channel": "channel|source channel|sales channel|kanal",
    "discount": "discount|rebate|discount amount|rabatt|remise|descuento",
}
"""Names that shops give our columns, likeliest first; case, blanks, `_` and `-` do not matter."""
REFUNDS = re.compile(r"(?i)refund|returned[ _-]?(?:amount|value)|erstatt|rembours|gutschrift")
PROFITS = re.compile(
    r"(?i)^(?:gross[ _-]?|order[ _-]?|net[ _-]?)?(?:profit|margin|contribution|marge|deckungsbeitrag)"
    r"(?:[ _-]?(?:amount|value))?$"
)
MINOR_UNITS = re.compile(r"(?i)[ _-]*(?:\(|in[ _-])?(?:cents?|pence|minor(?:[ _-]?units?)?|kopecks|öre)\)?$")
SHARES = re.compile(r"(?i)pct|percent|%|rate|share")


@dataclass
class Guess:
    """The columns of a table, as far as they are known."""

    columns: dict[str, str]
    """Our column → theirs."""
    read: dict[str, str] = field(default_factory=dict)
    """Settings of `[read.orders]`."""
    platform: Platform | None = None
    missing: list[str] = field(default_factory=list)
    """Required columns that nothing looks like."""

    def unused(self, names: list[str]) -> list[str]:
        """The columns of the table that nothing was taken from."""
        used = {*self.columns.values(), *self.read.values()}
        return [name for name in names if name not in used]


def guess_columns(types: Mapping[str, str], given: Mapping[str, str], *, where: str) -> Guess:
    """Our names → theirs: as given, the others as the platform has them, or guessed from the names.

    types: the DuckDB type of each of their columns. Raises InputError for a given name that is none.
    """
    for names, known in ((list(given), list(ORDERS)), (list(given.values()), list(types))):
        if wrong := [name for name in names if name not in known]:
            next_ = f"--column OURS=THEIRS; {nearest(wrong[0], known) or 'there are ' + ', '.join(known)}"
            raise InputError(f"there is no column '{wrong[0]}'", where=where, next=next_)
    platform = platforms.recognise(types)
    guess = Guess(dict(given), platform=platform)
    if platform:
        guess.read = platforms.read_settings_of(platform, types)
        known_columns = platforms.columns_of(platform, types)
        guess.columns = known_columns | guess.columns
    else:
        _by_name(guess, types)
    _by_kind(guess, types)
    _beside_the_amount(guess, types)
    guess.missing = [ours for ours, column in ORDERS.items() if column.required and ours not in guess.columns]
    if {"quantity", "unit_price"} <= guess.columns.keys() and "amount" in guess.missing:
        guess.missing.remove("amount")
    return guess


def _by_name(guess: Guess, types: Mapping[str, str]) -> None:
    """Add the columns whose names are usual for ours."""
    for ours, synonyms in SYNONYMS.items():
        if ours in guess.columns:
            continue
        free = [name for name in types if name not in guess.columns.values()]
        name = first_of(f"{ours}|{synonyms}", free)
        if name is None and ours in ("customer_id", "ordered_at", "amount", "order_id"):
            name = _ending_in(synonyms, free)
        if name is not None:
            guess.columns[ours] = name
    _in_minor_units(guess, types)


def _in_minor_units(guess: Guess, types: Mapping[str, str]) -> None:
    """Add a column of money whose name says that it is in cents, such as `total_price_cents`."""
    for ours in ("amount", "unit_price"):
        plain = {plain_name(way) for way in SYNONYMS[ours].split("|")}
        for name in types:
            stem = MINOR_UNITS.sub("", name)
            if ours not in guess.columns and stem != name and plain_name(stem) in plain:
                guess.columns[ours], guess.read["amount_in"] = name, "cents"


def _ending_in(synonyms: str, names: list[str]) -> str | None:
    """A name such as `Order date (UTC)` or `Total (EUR)`: a usual one, and more in brackets."""
    plain = {plain_name(way) for way in synonyms.split("|")}
    return next((name for name in names if "(" in name and plain_name(name.partition("(")[0]) in plain), None)


def _by_kind(guess: Guess, types: Mapping[str, str]) -> None:
    """Take the only column of fractions for the amount, where no name says which it is."""
    if "amount" in guess.columns or {"quantity", "unit_price"} <= guess.columns.keys():
        return
    free = [name for name in types if name not in guess.columns.values()]
    numbers = [name for name in free if types[name] in ("DOUBLE", "FLOAT") and not SHARES.search(name)]
    if len(numbers) == 1:
        guess.columns["amount"] = numbers[0]


def _beside_the_amount(guess: Guess, types: Mapping[str, str]) -> None:
    """Add the settings for columns of refunds and profit."""
    free = guess.unused(list(types))
    refunds = [name for name in free if REFUNDS.search(name) and not re.search(r"(?i)date|at$|status|reason|id$", name)]
    if "refunded" not in guess.read and len(refunds) == 1:
        guess.read["refunded"] = refunds[0]
    profits = [name for name in free if PROFITS.match(name.strip()) and not SHARES.search(name)]
    if "cost" not in guess.columns and profits and "amount" in guess.columns:
        guess.read["profit"] = profits[0]
