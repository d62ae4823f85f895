"""Formats of numbers, money, shares, days and counts, the same in the report and on the console.

A minus sign is as wide as a plus and no line is broken after it; nor between an amount and its currency.
"""

import re
from collections.abc import Sequence
from datetime import date

ZERO = re.compile(r"^-(0(?:\.0+)?%?)$")
"""A number that reads as zero and has a minus sign."""


def count(number: int) -> str:
    """A count, as 1,234."""
    return with_minus_sign(f"{number:,}")


def money(amount: float, currency: str) -> str:
    """An amount of money, as 1,234 USD; with cents below a hundred.

    >>> money(-1234.5, "USD"), money(9.5, "")
    ('−1,234\\xa0USD', '9.50')
    """
    return f"{with_minus_sign(f'{amount:,.{0 if abs(amount) >= 100 else 2}f}')}\u00a0{currency}".rstrip()


def interval(ends: Sequence[float], currency: str) -> str:
    """An interval of money, as 12.00 to 1,234 USD.

    >>> interval((12, 1234), "USD")
    '12.00 to 1,234\\xa0USD'
    """
    return f"{' to '.join(money(end, '') for end in ends)}\u00a0{currency}".rstrip()


def amount(value: float | str) -> str:
    """A number with two decimals, as 1,234.50; a text is left as it is."""
    return value if isinstance(value, str) else with_minus_sign(f"{value:,.2f}")


def percent(share: float) -> str:
    """A share from 0 to 1 in percent, as 12.3%."""
    return with_minus_sign(f"{share:.1%}")


def figure(value: float | None, form: str) -> str:
    """The value in this form of Python's `format`; a dash for None and NaN."""
    return "–" if value is None or value != value else with_minus_sign(format(value, form))


def day(value: date | str) -> str:
    """A day as 2 April 1998, from a date or its ISO text."""
    parsed = date.fromisoformat(str(value))
    return f"{parsed.day} {parsed:%B %Y}"


def begin(text: str) -> str:
    """The text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def with_minus_sign(number: str) -> str:
    """The number with a minus sign as wide as a plus, after which no line breaks; a zero has none.

    >>> with_minus_sign("-1.50"), with_minus_sign("-0.0%")
    ('−1.50', '0.0%')
    """
    return ZERO.sub(r"\1", number).replace("-", "−")


def counted(number: int, singular: str, plural: str = "") -> str:
    """A number with its noun; plural: where it is not the singular with an s.

    >>> counted(1, "customer"), counted(2_000, "customer"), counted(0, "category", "categories")
    ('1 customer', '2,000 customers', '0 categories')
    """
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def part_of(part: float, whole: float, currency: str) -> str:
    """An amount, with its share of a whole where there is one; a loss, or a part of nothing, has none.

    >>> part_of(30, 120, "EUR"), part_of(30, 0, "EUR"), part_of(-5, 120, "EUR")
    ('30.00\\xa0EUR (25%)', '30.00\\xa0EUR', '−5.00\\xa0EUR')
    """
    share = f" ({part / whole:.0%})" if 0 <= part <= whole and whole > 0 else ""
    return money(part, currency) + share


def listed(words: list[str]) -> str:
    """Words as a list in a sentence.

    >>> listed(["a", "b", "c"]), listed(["a"])
    ('a, b and c', 'a')
    """
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
