"""What became of the declared attributes: left out, grouped, cells that could not be read, customers without a row."""

from collections.abc import Collection, Iterator

from features.ingest.csv_checks import identifier, quoted
from features.ingest.mistakes.data_warning import DataWarning, plural, read_line
from features.ingest.notation.canonical import written_name
from features.ingest.open_log import Reading

EXPECTED = {"number": "a number", "yes_no": "yes or no", "day": "a date"}


def attribute_warnings(opened: Reading) -> Iterator[DataWarning]:
    """The attributes that are not learned from, or not as they stand."""
    for name, kind in opened.attribute_kinds.items():
        if kind.kind == "unused":
            yield DataWarning(
                "attribute_left_out",
                f"{name} is not learned from: {kind.why}.",
                "customers",
                name,
                _rows(opened, "true"),
                f'Take "{name}" out of [features] attributes, and this is not said again.',
            )
        if kind.rare:
            known = ", ".join(map(quoted, kind.names))
            yield DataWarning(
                "attribute_grouped",
                f"{name} holds {len(kind.names) + len(kind.rare):,} names: {len(kind.names):,} frequent ones are told "
                f"apart, the other {len(kind.rare):,} are taken together as 'other'.",
                "customers",
                name,
                _rows(opened, f"{identifier(name)} not in ({known})"),
                "Nothing to do; where wider groups make sense, such as regions for postcodes, export those.",
            )
    yield from unread_attributes(opened)


def unread_attributes(opened: Reading) -> Iterator[DataWarning]:
    """Cells of attributes that could not be read, and count as missing."""
    for name, kind in opened.attribute_kinds.items():
        if kind.kind not in EXPECTED:
            continue
        cell, column = identifier(written_name(name)), identifier(name)
        rows, total, example = opened.rows(
            f"select count(*) filter ({column} is null), count(*), min({cell}) filter ({column} is null) "
            f"from raw_customers where {cell} is not null"
        )[0]
        if rows:
            fix = {"number": 'decimal = ","', "day": 'time_format = "%d/%m/%Y"'}.get(kind.kind)
            yield DataWarning(
                "unread_cells",
                f"{rows:,} of {plural(total, 'cell')} of {name} are not {EXPECTED[kind.kind]}, such as '{example}': "
                "they count as missing.",
                "customers",
                name,
                rows,
                read_line("customers", fix) if fix else "Write true or false, 1 or 0, yes or no.",
            )


def described_in_words(attributes: Collection[str], buyers: int, described: int) -> list[str]:
    """Say how many customers with an order the table of attributes has; nothing where no attribute is used.

    attributes: those that are used. described: those among the buyers with a row.
    """
    if not attributes:
        return []
    who = plural(buyers, "customer")
    if described == buyers:
        return [f"all {who} with an order are in the table customers"]
    return [
        f"{described:,} of {who} with an order are in the table customers; the attributes of the other "
        f"{buyers - described:,} count as missing"
    ]


def _rows(opened: Reading, condition: str) -> int:
    return int(opened.rows(f"select count(*) from raw_customers where {condition}")[0][0])
