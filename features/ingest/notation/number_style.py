"""Read numbers as shops write them: decimal and thousands marks, currency signs, brackets, a trailing minus.

The style of a column is decided by cells that leave no choice: `1,234.50` has a decimal point, `38,49` a decimal
comma. A cell such as `1.250` has two readings; where nothing in the column decides, the style is ambiguous, and the
caller has to ask.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from features.ingest.csv_checks import quoted

SIGNS = "$¢£¤¥֏؋৲৳฿₠₡₢₣₤₥₦₧₨₩₪₫€₭₮₯₰₱₲₳₴₵₶₷₸₹₺₻₼₽₾₿﷼﹩＄￠￡￥￦"
CODES = (
    "AED ARS AUD BDT BGN BHD BRL CAD CHF CLP CNY COP CRC CZK DKK EGP EUR GBP GEL HKD HRK HUF IDR ILS INR ISK JOD JPY "
    "KES KRW KWD KZT LKR MAD MXN MYR NGN NOK NZD OMR PEN PHP PKR PLN QAR RON RSD RUB SAR SEK SGD THB TND TRY TWD UAH "
    "USD UYU VND XAF XOF ZAR"
)
CURRENCY_OF = {
    "£": "GBP", "€": "EUR", "₹": "INR", "₽": "RUB", "zł": "PLN", "Kč": "CZK", "₺": "TRY", "₪": "ILS", "R$": "BRL",
    "₩": "KRW", "₫": "VND", "₴": "UAH", "US$": "USD", "C$": "CAD", "CA$": "CAD", "A$": "AUD", "AU$": "AUD",
    "NZ$": "NZD", "HK$": "HKD", "S$": "SGD", "MX$": "MXN", "¥": "JPY", "Rs": "INR", "Rs.": "INR", "Fr.": "CHF",
}  # fmt: skip
"""Signs that stand for one currency, or for one above all."""
DOLLARS = ("USD", "CAD", "AUD", "NZD", "HKD", "SGD", "MXN", "ARS", "CLP", "COP", "TWD", "UYU")
ABBREVIATIONS = r"US\$|CA?\$|AU?\$|NZ\$|HK\$|S\$|R\$|MX\$|Rs\.?|kr\.?|zł|Kč|Ft|lei|Fr\.?|руб\.?|р\.|S/\.?|Rp|RM"
CURRENCY = rf"(?:[{SIGNS}]|(?:{CODES.replace(' ', '|')})|{ABBREVIATIONS})"
BLANK = "\\s\u00a0\u2007\u2009\u202f"
MINUS = "\\-\u2212\u2013"
NUMBER = rf"\d(?:[\d.,'’{BLANK}]*\d)?[.,]?|[.,]\d+"
CELL = rf"[{BLANK}]*'?((?:[(+{MINUS}{BLANK}]|{CURRENCY})*)({NUMBER})((?:[){MINUS}{BLANK}]|{CURRENCY})*)"
PLAIN = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
NULL_WORDS = ("", "nan", "null", "none", "n/a", "na", "#n/a", "<na>", "nil", "-", "--", "(null)", "\\n", "(none)")
"""Cells that say that there is no value; lower case, trimmed."""

ENOUGH = 3
"""Cells such as `1.250`, beside whole numbers without a mark, that show the mark to group digits."""

_CELL, _PLAIN = re.compile(CELL), re.compile(PLAIN)


@dataclass(frozen=True)
class NumberStyle:
    """How a column of text writes numbers."""

    decimal: str = "."
    thousands: str = ""
    """The marks that group digits, each a character of the class; empty: none."""
    is_decorated: bool = False
    """True if currency signs, brackets or a trailing minus stand around the digits."""
    has_null_words: bool = False
    """True if words such as n/a stand for a missing number."""

    @property
    def is_plain(self) -> bool:
        return self == NumberStyle()


@dataclass(frozen=True)
class NumberEvidence:
    """What the cells of a column say about its style."""

    style: NumberStyle
    is_decided: bool
    """False where a cell has two readings and no other cell decides between them."""
    ambiguous: tuple[str, ...] = ()
    """Cells with two readings, if there are any."""
    against: tuple[str, ...] = ()
    """Cells that speak for the other decimal mark."""


def is_plain_number(cell: str) -> bool:
    """True for digits with at most one point, as programs write them.

    >>> is_plain_number("-1234.50"), is_plain_number("1,234.50")
    (True, False)
    """
    return _PLAIN.fullmatch(cell) is not None


def is_null_word(cell: str) -> bool:
    """True for a cell that says that there is no value.

    >>> is_null_word("N/A"), is_null_word("0")
    (True, False)
    """
    return cell.strip().lower() in NULL_WORDS


def number_evidence(
    cells: Iterable[str], *, decimal: str | None = None, thousands: str | None = None, digits: int = 2
) -> NumberEvidence:
    """Decide how numbers are written. decimal, thousands: as the user set them; digits: of the currency's minor unit.

    >>> number_evidence(["1.234,50 €", "12,00 €"]).style.decimal
    ','
    >>> number_evidence(["1.250", "2.500"]).is_decided
    False
    """
    votes: dict[str, list[str]] = {".": [], ",": []}
    groups: set[str] = set()
    unsure: dict[str, list[str]] = {".": [], ",": []}
    is_decorated = has_words = has_whole = False
    for cell in dict.fromkeys(cells):
        if is_null_word(cell):
            has_words = has_words or cell != ""
            continue
        match = _CELL.fullmatch(cell)
        if not match:
            continue
        before, number, after = match.groups()
        is_decorated = is_decorated or before.strip(" +-") != "" or after.strip() != "" or cell.lstrip()[:1] == "'"
        _weigh(cell, number, votes, groups, unsure)
        has_whole = has_whole or (number.isdigit() and 0 < len(number) <= 3)
    mark, is_decided = _decide(votes, unsure, has_whole=has_whole, digits=digits)
    if decimal:
        mark, is_decided = decimal, True
    other = "," if mark == "." else "."
    if thousands is None:
        grouped = other if other in groups or unsure[other] else ""
        marks = grouped + "".join(sorted(groups & {"'", " "}))
    else:
        marks = thousands
    marks = marks.replace(mark, "")
    style = NumberStyle(mark, marks, is_decorated, has_words)
    return NumberEvidence(style, is_decided, tuple(unsure["."] + unsure[","]), tuple(votes[other]))


def _weigh(cell: str, number: str, votes: dict[str, list[str]], groups: set[str], unsure: dict[str, list[str]]) -> None:
    """Add what one number says: to the votes for a decimal mark, to the marks that group digits, or to the unsure."""
    spaced = re.sub(rf"[{BLANK}]", " ", number)
    if "'" in number or "’" in number:
        groups.add("'")
    if " " in spaced:
        groups.add(" ")
    marks = re.findall(r"[.,]", number)
    if not marks:
        return
    last = marks[-1]
    whole, _, part = number.rpartition(last)
    if len(set(marks)) == 2:
        votes[last].append(cell)
        groups.add("," if last == "." else ".")
    elif len(marks) > 1:
        groups.add(last)
        votes["," if last == "." else "."].append(cell)
    elif len(part) != 3 or not whole.isdigit() or len(whole) > 3 or whole.startswith("0"):
        votes[last].append(cell)
    else:
        unsure[last].append(cell)


def _decide(
    votes: dict[str, list[str]],
    unsure: dict[str, list[str]],
    *,
    has_whole: bool,
    digits: int,
) -> tuple[str, bool]:
    """The decimal mark, and whether it is beyond doubt.

    Without a vote, a mark before three digits groups them where the column cannot be decimals of either kind: cut
    zeros would leave no `1.250`, and kept ones no `950`. A currency without minor units has no decimals; one with
    three writes them with a point.
    """
    if votes["."] or votes[","]:
        return ("." if len(votes["."]) >= len(votes[","]) else ","), True
    for mark, other in ((",", "."), (".", ",")):
        cells = unsure[mark]
        if not cells or unsure[other]:
            continue
        zeros = sum(bool(re.search(r"0\D*$", cell)) for cell in cells)
        if digits == 3:
            return (".", True) if mark == "." else (".", False)
        return other, (has_whole and zeros >= ENOUGH) or (digits == 0 and mark == ",")
    return ".", not (unsure["."] or unsure[","])


def number_sql(column: str, style: NumberStyle) -> str:
    """SQL: a column of text as plain numbers in text, null where a cell is not written in this style."""
    marks = "".join({"'": "'’", " ": BLANK}.get(mark, mark) for mark in style.thousands)
    decimal = re.escape(style.decimal)
    grouped = rf"\d{{1,3}}(?:[{marks}]\d{{2,3}})*[{marks}]\d{{3}}|" if marks else ""
    number = rf"(?:{grouped}\d+)(?:{decimal}\d*)?|{decimal}\d+"
    if style.decimal == "." and not marks:
        number = rf"(?:{number})(?:[eE][+-]?\d+)?"
    if not style.is_decorated:
        whole = quoted(f"[+-]?(?:{number})")
        digits = _without_marks(f"trim({column})", marks, style.decimal)
        return f"case when regexp_full_match(trim({column}), {whole}) then {digits} end"
    before = rf"^[{BLANK}]*'?(?:[(+{MINUS}{BLANK}]|{CURRENCY})*"
    after = rf"(?:[){MINUS}{BLANK}]|{CURRENCY})*$"
    negative = rf"^[^0-9]*[({MINUS}]|[0-9][{BLANK}]*[{MINUS}][^0-9]*$"
    digits = f"nullif(regexp_extract({column}, {quoted(f'{before}({number}){after}')}, 1), '')"
    sign = f"if(regexp_matches({column}, {quoted(negative)}), '-', '')"
    return f"{sign} || {_without_marks(digits, marks, style.decimal)}"


def _without_marks(text: str, marks: str, decimal: str) -> str:
    plain = f"regexp_replace({text}, {quoted(f'[{marks}]')}, '', 'g')" if marks else text
    if len(marks) == 1:
        plain = f"replace({text}, {quoted(marks)}, '')"
    return plain if decimal == "." else f"replace({plain}, {quoted(decimal)}, '.')"


def is_null_word_sql(column: str) -> str:
    """SQL: true for cells of text that say that there is no value."""
    words = ", ".join(map(quoted, NULL_WORDS))
    return f"lower(trim({column})) in ({words})"


def currency_signs(cells: Sequence[str]) -> set[str]:
    """The currency signs, codes and abbreviations that stand beside the digits of some cells.

    >>> sorted(currency_signs(["£12.50", "12.50 EUR"]))
    ['EUR', '£']
    """
    found: set[str] = set()
    for cell in cells:
        if match := _CELL.fullmatch(cell):
            found.update(re.findall(CURRENCY, match[1] + " " + match[3]))
    return found
