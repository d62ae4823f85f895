"""Mistakes in customers' ids: spellings of one id, guests and placeholders, an order number taken for the customer."""

from collections.abc import Iterator

from features.ingest.mistakes.data_warning import DataWarning, plural, read_line
from features.ingest.open_log import Reading

PLACEHOLDERS = (
    "0", "-1", "00", "000", "0000", "00000", "000000", "1900", "9999", "99999", "999999", "9999999", "99999999",
    "guest", "guests", "gast", "invité", "anonymous", "anonym", "anon", "unknown", "unbekannt", "undefined",
    "not set", "(not set)", "walk-in", "walkin", "walk in", "cash", "pos", "default", "test", "x", "none", "null",
    "nan", "n/a", "na", "nil", "-", "no customer", "guest@example.com", "noreply@example.com", "test@test.com",
    "00000000-0000-0000-0000-000000000000",
    "deleted", "[deleted]", "deleted user", "deleted customer", "removed", "redacted", "[redacted]", "anonymized",
    "anonymised", "gdpr", "gelöscht", "supprimé",
)  # fmt: skip
"""Ids that stand for nobody in particular, lower case."""
ABSURD_SHARE = 0.05
"""The share of all orders from which a single customer is suspicious, if it is also far above the others'."""
FEWEST_CUSTOMERS = 20
MISSING_SHARE = 0.02
"""The share of rows that may be without a customer."""
BOUGHT_ONCE = 0.005
"""Below this share of customers with a second order, nobody comes back: too few to be true of a shop."""


def spellings(opened: Reading) -> Iterator[DataWarning]:
    """Ids that are one but for capitals, blanks, `.0` or leading zeros."""
    if opened.log.options("orders").ids == "exact":
        lower = read_line("orders", 'ids = "lower"')
        yield from _same_once(opened, "lower(trim(customer_id))", "case", "capitals or outer blanks", lower)
    hint = "Export the ids as text from one system, written in one way."
    yield from _same_once(opened, "regexp_replace(customer_id, '^(\\d+)\\.0+$', '\\1')", "point", "a '.0'", hint)
    yield from _same_once(opened, "regexp_replace(customer_id, '^0+(\\d)', '\\1')", "zeros", "leading zeros", hint)


def _same_once(opened: Reading, folded: str, code: str, what: str, fix: str) -> Iterator[DataWarning]:
    ids, rows, pair = opened.rows(f"""
        select count(*), coalesce(sum(lines), 0), any_value(spelled) from (
            select {folded} as id, count(*) as lines, list(distinct customer_id order by customer_id)[:2] as spelled
            from checked where reason is null group by 1 having count(distinct customer_id) > 1)""")[0]
    if ids:
        yield DataWarning(
            f"ids_differ_by_{code}",
            f"{plural(ids, 'customer id')} stand in spellings that differ by {what}, in {plural(int(rows), 'row')}: "
            f"{' and '.join(map(repr, pair))}. Each spelling is counted as a customer.",
            "orders",
            "customer_id",
            int(rows),
            fix,
        )


def lost_digits(opened: Reading) -> Iterator[DataWarning]:
    """Ids as a spreadsheet shows long numbers, 1.23E+05: their last digits are lost, and customers run together."""
    rows, ids, example = opened.rows("""
        select count(*), count(distinct customer_id), any_value(customer_id) from checked
        where reason is null and regexp_full_match(customer_id, '\\d(?:[.,]\\d+)?[eE][+]?\\d+')""")[0]
    if rows:
        yield DataWarning(
            "ids_lost_digits",
            f"{plural(rows, 'row')} of {plural(ids, 'id')} are written as a spreadsheet shows long numbers, such as "
            f"'{example}': the last digits are lost, and different customers count as one.",
            "orders",
            "customer_id",
            rows,
            "Export the ids as text; do not open and save the file in a spreadsheet.",
        )


def missing(opened: Reading) -> Iterator[DataWarning]:
    """Rows without a customer, where they are more than a small share."""
    judged = opened.judged["orders"]
    total = sum(group.rows for group in judged)
    for group in judged:
        if group.reason == "no customer_id" and group.rows > MISSING_SHARE * total:
            yield DataWarning(
                "no_customer",
                f"{group.rows:,} of {plural(total, 'row')} ({group.rows / total:.0%}) worth {group.micros / 1e6:,.2f} "
                "have no customer, and are set aside: guests, or is there a better column, such as an e-mail address?",
                "orders",
                "customer_id",
                group.rows,
                '[columns.orders] customer_id = "NAME"',
            )


def nobodies(opened: Reading) -> Iterator[DataWarning]:
    """Ids that stand for guests or for nobody, and single customers with an absurd share of the orders."""
    listed = ", ".join("'" + word.replace("'", "''") + "'" for word in PLACEHOLDERS)
    counts = opened.rows(f"""
        with by_customer as (
            select customer_id, count(*) as lines, count(distinct coalesce(order_id, at_us::text)) as orders
            from checked where reason is null group by 1
        ), whole as (
            select sum(orders) as orders, count(*) as customers, quantile_disc(orders, 0.9) as many from by_customer
        )
        select customer_id, by_customer.lines, by_customer.orders / whole.orders as share,
               lower(trim(customer_id)) in ({listed}) as is_placeholder
        from by_customer, whole
        where (lower(trim(customer_id)) in ({listed}) and by_customer.orders > 2)
              or (by_customer.orders > {ABSURD_SHARE} * whole.orders and customers >= {FEWEST_CUSTOMERS}
                  and by_customer.orders > 5 * many)
        order by 2 desc limit 10""")
    for customer, rows, share, is_placeholder in counts:
        theirs = opened.log.mapping.get("orders", {}).get("customer_id", "customer_id")
        where = f"\"{theirs}\" != '{str(customer).replace(chr(39), chr(39) * 2)}'"
        yield DataWarning(
            "placeholder_id" if is_placeholder else "one_customer_share",
            f"Customer '{customer}' has {share:.0%} of all orders ({plural(rows, 'row')}): "
            + ("it looks like a guest account or a missing id." if is_placeholder else "a guest account, or a till?"),
            "orders",
            "customer_id",
            rows,
            read_line("orders", f"where = '''{where}'''"),
        )


def bought_once(opened: Reading) -> Iterator[DataWarning]:
    """Logs in which nobody ever orders twice, as where the id is that of the order."""
    customers, again = opened.rows("""
        select count(*), count(*) filter (orders > 1) from (
            select count(distinct coalesce(order_id, at_us::text)) as orders
            from checked where reason is null and micros >= 0 group by customer_id)""")[0]
    if customers >= FEWEST_CUSTOMERS and again < BOUGHT_ONCE * customers:
        yield DataWarning(
            "everybody_bought_once",
            f"{again:,} of {plural(customers, 'customer')} ever ordered twice: is customer_id the id of the order, or "
            "one that is new with every order?",
            "orders",
            "customer_id",
            customers,
            '[columns.orders] customer_id = "NAME"',
        )
