"""Tables that do not join: customers, interactions, treatments and costs of ids that the orders do not have."""

from collections.abc import Iterator

from features.ingest.column_sql import text_of
from features.ingest.mistakes.data_warning import DataWarning, plural, read_line
from features.ingest.open_log import Reading

FEWEST_MATCHED = 0.2
"""The share of a table's ids with an order below which the tables do not seem to speak of the same customers."""
FOLDED = "lower(trim(regexp_replace(regexp_replace({}, '\\.0+$', ''), '^0+(\\d)', '\\1')))"
"""An id without capitals, outer blanks, leading zeros and `.0`."""


def unmatched(opened: Reading, table: str, ids: str) -> Iterator[DataWarning]:
    """Compare the ids of a table with those of the orders. ids: a relation with a column customer_id."""
    total, matched, example, ours = opened.rows(f"""
        with theirs as (select distinct customer_id from {ids} where customer_id is not null),
             buyers as (select distinct customer_id from checked where reason is null)
        select count(*), count(buyers.customer_id), min(theirs.customer_id) filter (buyers.customer_id is null),
               (select min(customer_id) from buyers)
        from theirs left join buyers using (customer_id)""")[0]
    if not total or matched >= FEWEST_MATCHED * total:
        return
    folded = opened.rows(f"""
        with buyers as (select distinct {FOLDED.format("customer_id")} as id from checked where reason is null)
        select count(*) from (select distinct {FOLDED.format("customer_id")} as id from {ids})
        where id in (select id from buyers)""")[0][0]
    hint = f" Without capitals, blanks, leading zeros and '.0', {folded:,} would be." if folded > matched else ""
    yield DataWarning(
        "tables_do_not_join",
        f"{matched:,} of {plural(total, 'customer')} of {table} are found in the orders: '{example}' is not, the "
        f"orders have ids such as '{ours}'.{hint}",
        table,
        "customer_id",
        total - matched,
        read_line("orders", 'ids = "lower"') + f" and {read_line(table, 'ids = ' + chr(34) + 'lower' + chr(34))}"
        if folded > matched
        else f'[columns.{table}] customer_id = "NAME"',
    )


def of_reading(opened: Reading, table: str) -> str:
    """The relation of a table's ids, as text."""
    return f"(select {text_of('customer_id', opened.types[table]['customer_id'])} as customer_id from raw_{table})"
