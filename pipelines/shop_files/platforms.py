"""Shop systems by the header of their exports: which of their columns are ours, and how their rows are to be read.

To add one, add an entry: the names that only its export has together, and our columns in its words. A name may have
alternatives, the likeliest first, parted by `|`. Names are compared without case, blanks, `_` and `-`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Platform:
    """The export of a shop system."""

    name: str
    marks: tuple[str, ...]
    """Names that it has; each with its alternatives."""
    columns: Mapping[str, str]
    """Our column → theirs, with alternatives."""
    read: Mapping[str, str] = field(default_factory=dict)
    """Settings of `[read.orders]`; a setting that names a column holds only if the column is there."""


PLATFORMS = (
    Platform(
        "Shopify",
        ("Name", "Financial Status", "Lineitem quantity", "Created at"),
        {
            "order_id": "Name",
            "customer_id": "Customer ID|Email",
            "ordered_at": "Created at|Paid at",
            "amount": "Total",
            "product_id": "Lineitem sku|Lineitem name",
            "quantity": "Lineitem quantity",
            "discount": "Discount Amount",
            "currency": "Currency",
            "channel": "Source",
        },
        {"amount_of": "order", "refunded": "Refunded Amount"},
    ),
    Platform(
        "WooCommerce",
        ("order_id|Order ID|Order Number", "status|order status", "billing_email|Billing Email Address|Customer User",
         "order_total|Order Total|Order Total Amount"),
        {
            "order_id": "order_id|Order ID|Order Number",
            "customer_id": "customer_id|Customer User ID|Customer User|billing_email|Email (Billing)",
            "ordered_at": "date_created_gmt|date_created|order_date|date|Order Date",
            "amount": "order_total|Order Total|Order Total Amount",
            "product_id": "sku|item_sku|product_id|Item #|SKU",
            "quantity": "quantity|item_quantity",
            "currency": "currency|order_currency|Order Currency",
            "discount": "discount_total|cart_discount|Cart Discount Amount",
            "channel": "created_via",
        },
        {"amount_of": "order", "refunded": "total_refunded|refund_total|Order Refund Amount|refunded_total"},
    ),
    Platform(
        "Stripe payments",
        ("id", "Amount", "Amount Refunded", "Created date (UTC)|Created (UTC)|created", "Status"),
        {
            "order_id": "id|PaymentIntent ID",
            "customer_id": "Customer ID|Customer Email|customer",
            "ordered_at": "Created date (UTC)|Created (UTC)|created",
            "amount": "Amount|Converted Amount",
            "currency": "Currency|Converted Currency",
        },
        {"refunded": "Amount Refunded"},
    ),
    Platform(
        "Stripe API",
        ("customer", "created", "amount", "currency"),
        {
            "order_id": "id|payment_intent|invoice",
            "customer_id": "customer",
            "ordered_at": "created",
            "amount": "amount|amount_paid",
            "currency": "currency",
        },
        {"amount_in": "cents", "refunded": "amount_refunded"},
    ),
    Platform(
        "Magento",
        ("increment_id|Order #|ID", "grand_total|Grand Total (Purchased)|base_grand_total|Grand Total (Base)",
         "status|state"),
        {
            "order_id": "increment_id|Order #|ID",
            "customer_id": "customer_id|customer_email|Customer Email",
            "ordered_at": "created_at|Purchase Date|purchased_on|Purchased On",
            "amount": "base_grand_total|Grand Total (Base)|grand_total|Grand Total (Purchased)",
            "product_id": "sku|product_sku",
            "quantity": "qty_ordered",
            "currency": "base_currency_code|order_currency_code",
            "discount": "base_discount_amount|discount_amount",
        },
        {"amount_of": "order", "refunded": "base_total_refunded|total_refunded|Total Refunded"},
    ),
    Platform(
        "Square",
        ("Transaction ID|Payment ID", "Gross Sales", "Net Sales", "Date"),
        {
            "order_id": "Transaction ID|Payment ID",
            "customer_id": "Customer ID|Customer Reference ID",
            "ordered_at": "Date",
            "amount": "Net Sales",
            "product_id": "SKU|Item",
            "category": "Category",
            "quantity": "Qty",
            "channel": "Channel|Source",
        },
        {},
    ),
    Platform(
        "Amazon",
        ("amazon-order-id|order-id", "purchase-date", "item-price|amount"),
        {
            "order_id": "amazon-order-id|order-id",
            "customer_id": "buyer-email|buyer-id|buyer-name",
            "ordered_at": "purchase-date",
            "amount": "item-price",
            "product_id": "sku|asin",
            "quantity": "quantity|quantity-purchased",
            "discount": "item-promotion-discount",
            "currency": "currency",
            "channel": "sales-channel",
        },
    ),
    Platform(
        "Olist",
        ("order_id", "customer_unique_id|customer_id", "order_purchase_timestamp"),
        {
            "order_id": "order_id",
            "customer_id": "customer_unique_id|customer_id",
            "ordered_at": "order_purchase_timestamp",
            "amount": "price|payment_value",
            "product_id": "product_id",
            "category": "product_category_name",
        },
    ),
    Platform(
        "SAP",
        ("KUNNR", "VBELN", "NETWR"),
        {
            "order_id": "VBELN",
            "customer_id": "KUNNR",
            "ordered_at": "AUDAT|ERDAT|FKDAT",
            "amount": "NETWR",
            "product_id": "MATNR",
            "quantity": "KWMENG|FKIMG",
            "currency": "WAERK|WAERS",
            "cost": "WAVWR",
            "channel": "VTWEG",
            "category": "MATKL",
        },
    ),
    Platform(
        "PayPal",
        ("Transaction ID", "Gross", "Fee", "Net", "From Email Address"),
        {
            "order_id": "Transaction ID",
            "customer_id": "From Email Address",
            "ordered_at": "Date",
            "amount": "Gross",
            "currency": "Currency",
        },
    ),
    Platform(
        "Etsy",
        ("Sale Date", "Order ID", "Order Value|Order Total"),
        {
            "order_id": "Order ID",
            "customer_id": "Buyer User ID|Buyer",
            "ordered_at": "Sale Date",
            "amount": "Order Value|Order Total",
            "discount": "Discount Amount",
            "currency": "Currency",
        },
    ),
    Platform(
        "PrestaShop",
        ("id_order", "id_customer", "total_paid|total_paid_tax_incl"),
        {
            "order_id": "id_order",
            "customer_id": "id_customer",
            "ordered_at": "date_add|invoice_date",
            "amount": "total_paid_real|total_paid_tax_incl|total_paid",
            "product_id": "product_id|product_reference",
            "quantity": "product_quantity",
            "discount": "total_discounts",
        },
        {"amount_of": "order"},
    ),
    Platform(
        "BigCommerce",
        ("Order ID", "Customer ID", "Order Date", "Order Status", "Order Total (inc tax)"),
        {
            "order_id": "Order ID",
            "customer_id": "Customer ID|Customer Email",
            "ordered_at": "Order Date",
            "amount": "Order Total (inc tax)",
            "currency": "Order Currency Code",
        },
        {"refunded": "Refund Amount"},
    ),
)  # fmt: skip


def plain_name(name: str) -> str:
    """A column's name as names are compared.

    >>> plain_name("Created date (UTC)"), plain_name("created_date-utc")
    ('createddateutc', 'createddateutc')
    """
    return "".join(letter for letter in name.lower() if letter.isalnum())


def first_of(alternatives: str, names: Iterable[str]) -> str | None:
    """The first of the alternatives that a table has, in the table's spelling; None if it has none."""
    spelled = {plain_name(name): name for name in reversed(list(names))}
    return next((spelled[plain_name(way)] for way in alternatives.split("|") if plain_name(way) in spelled), None)


def recognise(names: Iterable[str]) -> Platform | None:
    """The shop system that writes such a header; None if no one is known.

    >>> recognise(["id", "Created date (UTC)", "Amount", "Amount Refunded", "Status"]).name
    'Stripe payments'
    """
    names = list(names)
    return next((platform for platform in PLATFORMS if all(first_of(mark, names) for mark in platform.marks)), None)


def columns_of(platform: Platform, names: Iterable[str]) -> dict[str, str]:
    """Our columns → those of the table, as far as it has them."""
    names = list(names)
    found = {ours: first_of(theirs, names) for ours, theirs in platform.columns.items()}
    return {ours: theirs for ours, theirs in found.items() if theirs}


COLUMN_SETTINGS = ("refunded", "profit", "rate")


def read_settings_of(platform: Platform, names: Iterable[str]) -> dict[str, str]:
    """The settings of `[read.orders]` for such an export; those that name a column, only if it is there."""
    names = list(names)
    settings = {}
    for key, value in platform.read.items():
        theirs = first_of(value, names) if key in COLUMN_SETTINGS else value
        if theirs:
            settings[key] = theirs
    return settings
