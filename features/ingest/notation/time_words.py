"""Put times into plain words: names of months and zones, weekdays, `p.m.`, the blanks that programs leave.

Each step stands here once, as a pattern that Python and DuckDB read alike, so that a column is read as its sample was.
"""

import re

from features.ingest.csv_checks import quoted

ZONES = {
    "EST": -300, "EDT": -240, "CST": -360, "CDT": -300, "MST": -420, "MDT": -360, "PST": -480, "PDT": -420,
    "AKST": -540, "AKDT": -480, "HST": -600, "WET": 0, "WEST": 60, "CET": 60, "CEST": 120, "MEZ": 60, "MESZ": 120,
    "EET": 120, "EEST": 180, "MSK": 180, "JST": 540, "KST": 540, "AEST": 600, "AEDT": 660, "NZST": 720, "NZDT": 780,
    "UTC": 0, "GMT": 0, "Z": 0, "z": 0,
}  # fmt: skip
"""Abbreviations of zones in minutes east of Greenwich; those with several meanings (IST, BST) are left out."""
ZONE_OF = {
    word: zone
    for zone, words in {
        "America/New_York": "EST|EDT|ET|Eastern Time (US & Canada)|Eastern Standard Time",
        "America/Chicago": "CST|CDT|CT|Central Time (US & Canada)|Central Standard Time",
        "America/Denver": "MST|MDT|MT|Mountain Time (US & Canada)|Mountain Standard Time",
        "America/Los_Angeles": "PST|PDT|PT|Pacific Time (US & Canada)|Pacific Standard Time",
        "Europe/London": "BST|London",
        "Europe/Berlin": "CET|CEST|MEZ|MESZ|Berlin",
        "Europe/Paris": "Paris",
        "Europe/Madrid": "Madrid",
        "Asia/Tokyo": "JST|Tokyo",
    }.items()
    for word in words.split("|")
}
"""What exports write in a column of zones → the zone, summer and winter."""
MINUS, BLANKS = "\u2212", "\u00a0\u202f"
"""The minus sign, and blanks that \\s leaves out in DuckDB."""
ZONE = rf" ?((?:{'|'.join(ZONES)})|(?:UTC|GMT)? ?[+\-{MINUS}]\d{{1,2}}(?::?\d\d)?)(?: ?\[[^\]]*\])?(?: ?\([^)]*\))?$"
"""The zone at the end of a time that has a colon before it."""
TIMED_ZONE = rf"^(.*\d(?:[:.]\d\d|T\d\d\d\d|T\d{{6}})(?:[.]\d+)?(?: ?[AaPp][Mm])?){ZONE}"
STEPS = (
    (rf"^[\s{BLANKS}]+|[\s{BLANKS}]+$", ""),
    (rf"[\s{BLANKS}]+", " "),
    (r"(?i)\b([ap])\.\s?m\.?", r"\1m"),
    (r"(?i)^(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun|mo|di|mi|do|fr|sa|so)(?:day)?[.,]* ", ""),
    (r"(\d)(?:st|nd|rd|th)\b", r"\1"),
    (r"(?i) del? ", " "),
    (r"(\d\d[.:]\d\d[.,]\d{6})\d+", r"\1"),
    (r"(:\d\d),(\d)", r"\1.\2"),
)
"""What is replaced, in order, and by what."""
MONTHS = {
    "Jan": "january januar janv janvier ene enero gennaio gen jänner jaen янв jan",
    "Feb": "february februar févr fév février febrero febbraio fev fevereiro feb фев",
    "Mar": "march märz mär mrz mars marzo março maart mrt mar мар",
    "Apr": "april avr avril abr abril aprile apr апр",
    "May": "mai mayo maggio mag maj mei maio may май",
    "Jun": "june juni juin junio giugno giu junho jun июн",
    "Jul": "july juli juil juillet julio luglio lug julho jul июл",
    "Aug": "august août aout ago agosto augustus aug авг",
    "Sep": "september sept septembre septiembre settembre setembro set sep сен",
    "Oct": "october okt oktober octobre octubre ottobre ott outubro out oct окт",
    "Nov": "november novembre noviembre novembro nov ноя",
    "Dec": "december dez dezember déc décembre dic diciembre dicembre dezembro dec дек",
}
"""English abbreviations, and what languages write for them."""
MONTH_OF = {word: month for month, words in MONTHS.items() for word in words.split()}
MONTH_WORD = r"[^\W\d_]{3,}\.?"
WORD_SQL = r"'\pL{3,}\.?'"
"""The first word of three letters or more, which is the month once weekdays are gone; for Python and for DuckDB."""


def plain_words(cell: str) -> str:
    """A time with English month names of three letters, am or pm, and nothing around it.

    >>> plain_words(" Di, 25. Juni 2024 5:50 p.m.")
    '25. Jun 2024 5:50 pm'
    """
    text = cell
    for pattern, replacement in STEPS:
        text = re.sub(pattern, replacement, text)
    if word := re.search(MONTH_WORD, text):
        month = MONTH_OF.get(word[0].rstrip(".").lower())
        if month and month.lower() != word[0].lower():
            text = text.replace(word[0], month)
    return text


def plain_words_sql(column: str) -> str:
    """SQL: the text of a time as `plain_words` has it."""
    text = column
    for pattern, replacement in STEPS:
        text = f"regexp_replace({text}, {quoted(pattern)}, {quoted(replacement)}, 'g')"
    cases = " ".join(
        f"when rtrim(lower(word), '.') in ({', '.join(map(quoted, words.split()))}) then replace(text, word, '{month}')"
        for month, words in MONTHS.items()
    )
    word = f"list_transform([regexp_extract(text, {WORD_SQL})], lambda word: case {cases} else text end)[1]"
    return f"list_transform([{text}], lambda text: {word})[1]"


def split_zone(text: str) -> tuple[str, int | None]:
    """A time without the zone at its end, and the zone in minutes east of Greenwich; None where there is none.

    >>> split_zone("2024-06-01 12:21:00 -0400")
    ('2024-06-01 12:21:00', -240)
    """
    match = re.search(TIMED_ZONE, text)
    if not match:
        return text, None
    name = match[2].replace(MINUS, "-")
    if name in ZONES:
        return match[1], ZONES[name]
    sign, hours, minutes = re.search(r"([+-])(\d{1,2}):?(\d\d)?$", name).groups()  # type: ignore[union-attr]
    return match[1], (int(hours) * 60 + int(minutes or 0)) * (-1 if sign == "-" else 1)


def zone_minutes_sql(text: str) -> str:
    """SQL: the zone at the end of a time in minutes east of Greenwich; null where there is none."""
    zone = f"replace(regexp_extract({text}, {quoted(TIMED_ZONE)}, 2), '{MINUS}', '-')"
    names = " ".join(f"when {quoted(name)} then {minutes}" for name, minutes in ZONES.items())
    offset = r"'([+-])(\d{1,2}):?(\d\d)?$'"
    minutes = (
        f"if(regexp_extract(zone, {offset}, 1) = '-', -1, 1) * (60 * regexp_extract(zone, {offset}, 2)::int"
        f" + coalesce(try_cast(regexp_extract(zone, {offset}, 3) as int), 0))"
    )
    return f"list_transform([{zone}], lambda zone: case zone when '' then null {names} else {minutes} end)[1]"


def without_zone_sql(text: str) -> str:
    """SQL: a time without the zone at its end."""
    return f"regexp_replace({text}, {quoted(TIMED_ZONE)}, '\\1')"
