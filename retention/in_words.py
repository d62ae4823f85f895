"""Counts, money and shares as they stand in a sentence."""


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun; many: the plural where it is not `one` with an s.

    >>> counted(1, "customer"), counted(2_000, "customer"), counted(0, "category", "categories")
    ('1 customer', '2,000 customers', '0 categories')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def money(amount: float, currency: str) -> str:
    """An amount in whole currency units; never "-0".

    >>> money(-0.2, "EUR"), money(1234.5, "EUR"), money(-12, "EUR")
    ('0 EUR', '1,234 EUR', '-12 EUR')
    """
    return f"{round(amount) + 0:,} {currency}"


def part_of(part: float, whole: float, currency: str) -> str:
    """An amount, with its share of a whole where that says something: of nothing, and of a loss, there is none.

    >>> part_of(30, 120, "EUR"), part_of(30, 0, "EUR"), part_of(-5, 120, "EUR")
    ('30 EUR (25%)', '30 EUR', '-5 EUR')
    """
    share = f" ({part / whole:.0%})" if 0 <= part <= whole and whole > 0 else ""
    return money(part, currency) + share


def listed(words: list[str]) -> str:
    """Words as a list in a sentence.

    >>> listed(["a", "b", "c"]), listed(["a"])
    ('a, b and c', 'a')
    """
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
