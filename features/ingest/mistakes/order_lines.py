"""Mistakes in the lines of orders: totals on every line, doubled lines, lines of totals, minor units, signs."""

from collections.abc import Iterator

from features.ingest.mistakes.data_warning import DataWarning, plural, read_line
from features.ingest.open_log import Reading
from features.ingest.schema import minor_units

FEWEST_ORDERS = 20
"""Orders of several lines from which a habit can be told."""
ALIKE = 0.8
"""The share of them whose lines all carry one amount, from which the amount is taken for the order's total."""
DOUBLED, DOUBLED_WITHOUT_ID = 0.02, 0.2
"""The share of lines that stand there before, with an order id or a product, and with neither."""
CREDIT_LETTERS = ("C", "CN", "CR", "CM", "R", "RE", "RF", "REF", "RMA", "RET", "G", "GS", "A", "AV")
"""What credit notes and returns are numbered with: credit note, memo, return, refund, Gutschrift, avoir."""
MOST_CREDITED = 0.3
"""The largest share of lines that may be credit notes."""
TOTALS = ("total", "totals", "grand total", "sum", "subtotal", "summe", "gesamt", "gesamtsumme", "somme", "totaal")


def repeated_order_totals(opened: Reading) -> Iterator[DataWarning]:
    """Orders whose lines all carry the same amount, as where an export repeats the order's total."""
    if "order_id" not in opened.types["orders"] or opened.log.options("orders").amount_of == "order":
        return
    several, alike, rows, money, once, example = opened.rows("""
        with by_order as (
            select customer_id, order_id, count(*) as lines, min(micros) as low, max(micros) as high,
                   count(distinct product_id) as products
            from checked where reason is null and micros > 0 and order_id is not null
            group by customer_id, order_id having lines > 1 and products != 1
        )
        select count(*), count(*) filter (low = high), coalesce(sum(lines) filter (low = high), 0),
               coalesce(sum(lines * high) filter (low = high), 0) / 1e6,
               coalesce(sum(high) filter (low = high), 0) / 1e6,
               min(order_id) filter (low = high)
        from by_order""")[0]
    if several >= FEWEST_ORDERS and alike >= ALIKE * several:
        yield DataWarning(
            "repeated_order_totals",
            f"{alike:,} of {plural(several, 'order')} of several lines carry one amount on every line, such as order "
            f"'{example}': is it the order's total? Counted by line, these orders come to {money:,.2f}, by order to "
            f"{once:,.2f}.",
            "orders",
            "amount",
            int(rows),
            read_line("orders", 'amount_of = "order"'),
        )


def repeated_lines(opened: Reading) -> Iterator[DataWarning]:
    """Lines that stand in one file more than once."""
    if opened.log.options("orders").repeated_lines == "drop":
        return
    lines, again, money = opened.rows("""
        select count(*), coalesce(sum(copies - 1), 0), coalesce(sum((copies - 1) * micros), 0) / 1e6 from (
            select count(*) as copies, any_value(micros) as micros from checked where reason is null
            group by file, customer_id, order_id, product_id, at_us, micros, pieces_micros)""")[0]
    total = lines + again
    has_id = opened.types["orders"].keys() & {"order_id", "product_id"}
    if again > (DOUBLED if has_id else DOUBLED_WITHOUT_ID) * total and again > 1:
        share = 2 * again / total
        yield DataWarning(
            "repeated_lines",
            f"{plural(int(again), 'line')} worth {money:,.2f} stand there before, with the same customer, time, order, "
            f"product and amount ({min(share, 1):.0%} of all lines have a double): was a file pasted twice?",
            "orders",
            None,
            int(again),
            read_line("orders", 'repeated_lines = "drop"'),
        )


def lines_of_totals(opened: Reading) -> Iterator[DataWarning]:
    """Lines whose id is a word for a total, or whose amount is the sum of all others."""
    words = ", ".join(f"'{word}'" for word in TOTALS)
    rows, example, money = opened.rows(f"""
        with sums as (select sum(micros) as whole, count(*) as lines from checked where micros is not null)
        select count(*), min(coalesce(written_id, order_id)), max(micros) / 1e6
        from checked, sums
        where lower(trim(coalesce(written_id, ''), ' :')) in ({words})
              or lower(trim(coalesce(order_id, ''), ' :')) in ({words})
              or (lines > 10 and micros > 0 and abs(2 * micros - whole) <= 10000)""")[0]
    if rows:
        yield DataWarning(
            "totals_lines",
            f"{plural(rows, 'line')} look like a line of totals, not an order: '{example or ''}', {money or 0:,.2f}.",
            "orders",
            "amount",
            rows,
            read_line("orders", _left_out(opened)),
        )


def _left_out(opened: Reading) -> str:
    theirs = opened.log.mapping.get("orders", {}).get("customer_id", "customer_id")
    return f"where = '''\"{theirs}\" not ilike '%total%' '''"


def minor_unit_amounts(opened: Reading) -> Iterator[DataWarning]:
    """Whole amounts in a currency that has minor units, too large and too uneven to be prices in units."""
    units = minor_units(opened.log.currency)
    if units == 1 or opened.log.options("orders").amount_in == "cents":
        return
    lines, fractions, round_ones, middle = opened.rows(f"""
        select count(*), count(*) filter (micros % 1000000 != 0), count(*) filter (micros % {units * 1000000} = 0),
               coalesce(median(micros), 0) / 1e6
        from checked where reason is null and micros > 0""")[0]
    if lines >= FEWEST_ORDERS and not fractions and middle >= 3 * units and round_ones * 5 < lines:
        yield DataWarning(
            "minor_units",
            f"All {lines:,} amounts are whole numbers, half of them above {middle:,.0f} {opened.log.currency}, and few "
            f"are multiples of {units}: are they cents?",
            "orders",
            "amount",
            lines,
            read_line("orders", 'amount_in = "cents"'),
        )


def negative_quantities(opened: Reading) -> Iterator[DataWarning]:
    """Lines of which fewer than no pieces were bought for a positive amount: they count as purchases."""
    rows, money, example = opened.rows("""
        select count(*), coalesce(sum(micros), 0) / 1e6, min(coalesce(order_id, customer_id)) from checked
        where reason is null and pieces_micros < 0 and micros > 0""")[0]
    if rows:
        yield DataWarning(
            "negative_quantities",
            f"{plural(rows, 'line')} have a negative quantity and a positive amount, such as that of '{example}': "
            f"{money:,.2f} counts as bought, not as given back.",
            "orders",
            "quantity",
            rows,
            "Export what was given back with a negative amount, or map the price of a piece instead of the amount: "
            '[columns.orders] unit_price = "NAME".',
        )


def credit_notes(opened: Reading) -> Iterator[DataWarning]:
    """Orders whose id alone, a number behind letters as in C536379, tells that money was given back."""
    if "order_id" not in opened.types["orders"] or opened.log.options("orders").where:
        return
    found = opened.rows(f"""
        with ids as (
            select upper(regexp_extract(order_id, '^([A-Za-z]{{1,4}})[-_ ]?\\d+$', 1)) as letters,
                   regexp_full_match(order_id, '\\d+') as is_number, micros, order_id
            from checked where reason is null and order_id is not null)
        select letters, count(*), sum(micros) / 1e6, min(order_id), (select count(*) filter (is_number) from ids),
               (select count(*) from ids)
        from ids where letters in ({", ".join(f"'{letters}'" for letters in CREDIT_LETTERS)})
        group by 1 having min(micros) > 0""")
    for letters, rows, money, example, numbers, lines in found:
        if rows <= MOST_CREDITED * lines and numbers >= (1 - 2 * MOST_CREDITED) * lines:
            theirs = opened.log.mapping.get("orders", {}).get("order_id", "order_id")
            yield DataWarning(
                "refunds_without_minus",
                f"{plural(rows, 'line')} have an order id that begins with {letters}, such as '{example}', and others "
                f"have a number alone: are they credit notes? Their {money:,.2f} counts as bought, not as given back.",
                "orders",
                "order_id",
                rows,
                "Export refunds with a minus, or leave them out: "
                + read_line("orders", f"where = '''\"{theirs}\" not ilike '{letters}%' '''"),
            )


def mostly_negative(opened: Reading) -> Iterator[DataWarning]:
    """Amounts that are mostly negative, as a ledger writes what customers paid; or mostly zero."""
    lines, below, nothing = opened.rows(
        "select count(*), count(*) filter (micros < 0), count(*) filter (micros = 0) from checked where reason is null"
    )[0]
    if lines and below * 2 > lines:
        yield DataWarning(
            "mostly_negative",
            f"{below:,} of {plural(lines, 'amount')} are negative: they are counted as refunds.",
            "orders",
            "amount",
            below,
            "Export the amounts with the sign that customers see: positive is paid, negative is given back.",
        )
    if opened.log.options("orders").amount_of == "line" and lines and nothing * 2 > lines:
        yield DataWarning(
            "mostly_zero",
            f"{nothing:,} of {plural(lines, 'amount')} are zero: is it the right column?",
            "orders",
            "amount",
            nothing,
            '[columns.orders] amount = "NAME"',
        )
