"""Money as the user says it is written: in minor units, per order, with refunds, profit or a rate beside it."""

from features.ingest.csv_checks import identifier
from features.ingest.log import Log
from features.ingest.read_options import ReadOptions
from features.ingest.schema import minor_units

MONEY = ("amount", "unit_price", "cost", "discount", "refunded", "profit")
LEFT_OUT, REPEATED = "left out by where", "repeated line"
"""The reasons of rows that the user leaves out."""
KEPT = "is_kept"
"""The column of loaded tables that says whether the user's `where` holds."""


def applied(query: str, types: dict[str, str], log: Log, table: str, *, is_written: bool) -> str:
    """SQL: the rows of a query with the user's settings about money applied, and the column `fault`.

    is_written: the query has the column amount_as_written already.
    """
    options = log.options(table)
    has = set(types)
    replaced: dict[str, str] = {}
    more: list[str] = []

    def value(name: str) -> str:
        """The money in a column, in units of the log's currency."""
        return _scaled(name, log, table, has_rate="rate" in has)

    if options.amount_in == "cents" or options.rate:
        replaced |= {name: value(name) for name in MONEY if name in has}
    amount = replaced.get("amount", _number("amount"))
    if "amount" not in has and {"quantity", "unit_price"} <= has:
        amount = f"{_number('quantity', '18, 4')} * {replaced.get('unit_price', _number('unit_price', '18, 6'))}"
    if options.refunded:
        amount = f"{amount} - coalesce(abs({replaced.get('refunded', _number('refunded'))}), 0)"
    if options.profit:
        profit = replaced.get("profit", _number("profit"))
        more.append(f"({replaced.get('amount', _number('amount'))} - {profit})::decimal(24, 6) as cost")
    if options.discount_in != "units" and "discount" in has:
        replaced["discount"] = _discount(amount, 100 if options.discount_in == "percent" else 1)
    if options.refunded or options.amount_of == "order" or options.rate or options.amount_in == "cents":
        replaced["amount"] = f"try_cast({amount} as decimal(24, 6))"
    dropped = [name for name in (*options.more_columns, KEPT) if name in has]
    if options.profit and "cost" in has:
        dropped.append("cost")
    if "amount" in replaced and "amount" not in has:
        more.append(f"{replaced.pop('amount')} as amount")
    if "amount" in replaced and not is_written:
        more.append("amount::text as amount_as_written")
    if KEPT in has or options.repeated_lines == "drop":
        more.append(f"{_fault(options, has - {KEPT}, is_kept=KEPT in has)} as fault")
    listed = [f"{sql} as {identifier(name)}" for name, sql in replaced.items() if name not in dropped]
    star = "*" + (f" exclude ({', '.join(map(identifier, dropped))})" if dropped else "")
    star += f" replace ({', '.join(listed)})" if listed else ""
    query = f"select {', '.join([star, *more])} from ({query})"
    return _once_an_order(query) if options.amount_of == "order" and "order_id" in has else query


def _number(name: str, digits: str = "24, 6") -> str:
    return f"try_cast({identifier(name)} as decimal({digits}))"


def _scaled(name: str, log: Log, table: str, *, has_rate: bool) -> str:
    """SQL: a column of money in units of the log's currency."""
    number = _number(name)
    if log.options(table).amount_in == "cents":
        share = {1: "1::decimal(4, 3)", 100: "0.01::decimal(4, 3)", 1000: "0.001::decimal(4, 3)"}
        number = f"({number} * {share[minor_units(log.currency)]})"
    if has_rate:
        number = f"try_cast(round({number}::double * try_cast(rate as double), 6) as decimal(24, 6))"
    return number


def _discount(amount: str, whole: int) -> str:
    """SQL: money taken off, from a share of the price before it; a share below 0 or of 1 and more says nothing."""
    share = f"(try_cast(discount as double) / {whole})"
    return f"if({share} >= 0 and {share} < 1, round(({amount})::double * {share} / (1 - {share}), 6), null)"


def _fault(options: ReadOptions, columns: set[str], *, is_kept: bool) -> str:
    """SQL: the reason of rows that the user leaves out. is_kept: the query has the column KEPT."""
    cases = ""
    if is_kept:
        kept = f"coalesce({KEPT}, false)"
        if options.amount_of == "order" and "order_id" in columns:
            order = "over (partition by coalesce(order_id, file || row))"
            kept = f"bool_or({KEPT}) {order} and bool_and(coalesce({KEPT}, true)) {order}"
        cases += f"when not ({kept}) then '{LEFT_OUT}' "
    if options.repeated_lines == "drop":
        listed = ", ".join(map(identifier, sorted(columns)))
        cases += f"when row_number() over (partition by {listed} order by file, row) > 1 then '{REPEATED}' "
    return f"case {cases}end"


def _once_an_order(query: str) -> str:
    """SQL: an order's total on the first line that has it, and 0 on the lines that repeat it or leave it empty."""
    order = "partition by coalesce(order_id, file || row)"
    whole = "rows between unbounded preceding and unbounded following"
    first = f"first_value(amount ignore nulls) over ({order} order by file, row {whole})"
    place = f"row_number() over ({order}, amount order by file, row)"
    return f"""
        select * exclude (total, place)
               replace (if(amount is null or (amount = total and place > 1), if(total is null, null, 0), amount)
                        ::decimal(24, 6) as amount)
        from (select *, {first} as total, {place} as place from ({query}))"""
