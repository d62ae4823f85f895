"""Tables that do not join: customers, interactions, treatments and costs of ids that the orders do not have."""

from collections.abc import Iterator
from typing import NamedTuple

from features.errors import InputError
from features.ingest.column_sql import text_of
from features.ingest.mistakes.data_warning import DataWarning, columns_line, plural, read_line
from features.ingest.notation.id_columns import AS_LOWER, AS_NUMBER
from features.ingest.open_log import Reading

FEWEST_MATCHED = 0.2
"""The share of a table's ids with an order below which the tables do not seem to speak of the same customers."""
FEWEST_DESCRIBED = 0.8
"""The share of the customers with an order below which a table of attributes leaves too many out to go unsaid."""
BUYERS = "(select customer_id from usable_orders where cents >= 0)"


class IdMatch(NamedTuple):
    """How the ids of a table compare with those of the orders."""

    ids: int
    matched: int
    """Ids of the table with an order."""
    buyers: int
    """Customers with an order."""
    example: str | None
    """An id of the table without an order."""
    ours: str | None
    """An id of the orders that the table does not have."""
    lower: int
    """Ids that would match without capitals and outer blanks."""
    number: int
    """Ids that would match without leading zeros and `.0` either."""

    @property
    def setting(self) -> str | None:
        """The way to compare ids by which more of them match; None: none does."""
        if self.lower > self.matched:
            return "lower"
        return "number" if self.number > self.matched else None

    def hint(self) -> str:
        """What would match, in words; empty if no more would."""
        if self.setting == "lower":
            return f" Without capitals and outer blanks, {self.lower:,} would be."
        return f" Without leading zeros and '.0', {self.number:,} would be." if self.setting else ""

    def fix(self, table: str) -> str:
        """The line of the config that makes more ids match, or that names another column."""
        if self.setting is None:
            return columns_line(table, 'customer_id = "NAME"')
        setting = f'ids = "{self.setting}"'
        return f"{read_line('orders', setting)} and {read_line(table, setting)}"


def match_ids(opened: Reading, ids: str, buyers: str = BUYERS) -> IdMatch:
    """Compare ids. ids, buyers: relations with a column customer_id."""
    counts = opened.rows(f"""
        with theirs as (select distinct customer_id from {ids} where customer_id is not null),
             buyers as (select distinct customer_id from {buyers})
        select (select count(*) from theirs), (select count(*) from theirs semi join buyers using (customer_id)),
               (select count(*) from buyers),
               (select min(customer_id) from theirs anti join buyers using (customer_id)),
               (select min(customer_id) from buyers anti join theirs using (customer_id))""")[0]
    folded: list[int] = []
    for form in (AS_LOWER, AS_NUMBER):
        folded += opened.rows(f"""
            select count(*) from (select distinct {form.format("customer_id")} as id from {ids})
            where id in (select {form.format("customer_id")} from {buyers})""")[0]
    return IdMatch(*counts, *folded)


def unmatched(opened: Reading, table: str, ids: str) -> Iterator[DataWarning]:
    """Warn where few ids of a table have an order, or few customers with an order are in a table of attributes.

    ids: a relation with a column customer_id.
    """
    match = match_ids(opened, ids, "(select customer_id from checked where reason is null)")
    if match.ids and match.matched < FEWEST_MATCHED * match.ids:
        yield DataWarning(
            "tables_do_not_join",
            f"{match.matched:,} of {plural(match.ids, 'customer')} of {table} are found in the orders: "
            f"'{match.example}' is not, the orders have ids such as '{match.ours}'.{match.hint()}",
            table,
            "customer_id",
            match.ids - match.matched,
            match.fix(table),
        )
    elif table == "customers" and opened.attributes and match.matched < FEWEST_DESCRIBED * match.buyers:
        yield DataWarning(
            "customers_not_described",
            f"{match.matched:,} of {plural(match.buyers, 'customer')} with an order are in the table customers; "
            f"'{match.ours}' is not. The attributes of the others count as missing.{match.hint()}",
            table,
            "customer_id",
            match.buyers - match.matched,
            match.fix(table) if match.setting else "Export all customers, those who are no longer active too.",
        )


def refuse_unmatched(opened: Reading) -> None:
    """Raise InputError where attributes or `left_at` are asked of customers none of whom has an order."""
    if "customers" not in opened.types or not (opened.attributes or opened.contractual):
        return
    if opened.rows("select 1 from usable_orders join usable_customers using (customer_id) limit 1"):
        return
    ids = of_reading(opened, "customers")
    match = match_ids(opened, ids)
    if not match.buyers:  # no row is an order, which is said elsewhere
        return
    raise InputError(
        f"none of its {plural(match.ids, 'customer')} has an order: '{match.example}' is not in the orders, which have "
        f"ids such as '{match.ours}'.{match.hint()}",
        where=opened.where("customers"),
        next=f"Set {match.fix('customers')} in the config."
        if match.setting
        else "Name another column, [columns.customers] customer_id, or export both tables from one system.",
    )


def of_reading(opened: Reading, table: str) -> str:
    """The relation of a table's ids, as text."""
    return f"(select {text_of('customer_id', opened.types[table]['customer_id'])} as customer_id from raw_{table})"
