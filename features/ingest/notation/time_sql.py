"""SQL that reads a column of times in its style."""

from features.ingest.csv_checks import quoted
from features.ingest.notation.time_style import UNITS, TimeStyle
from features.ingest.notation.time_words import plain_words_sql, without_zone_sql, zone_minutes_sql


def time_sql(column: str, style: TimeStyle, *, timezone: str | None) -> str:
    """SQL: a column, as text, as moments (timestamptz); null where a cell is not written in this style.

    timezone: the zone of times that carry none; None: there are none. An offset in the cell wins over it.
    """
    if style.has_words:
        inner = time_sql("body", TimeStyle(style.formats, style.has_zone), timezone=timezone)
        return f"list_transform([{plain_words_sql(column)}], lambda body: {inner})[1]"
    if style.formats[:1] == ("excel",):
        seconds = f"try_cast(round(try_cast({column} as double) * 86400) as bigint)"
        return _in_zone(f"(timestamp '1899-12-30' + to_seconds({seconds}))", timezone)
    if style.formats and style.formats[0] in UNITS:
        number = f"coalesce(try_cast({column} as decimal(28, 6)), try_cast({column} as double)::decimal(28, 6))"
        return f"try(make_timestamptz(try_cast({number} * 1000000 / {UNITS[style.formats[0]]} as bigint)))"
    if any("%z" in form or "%Z" in form for form in style.formats):
        return f"({_parsed(column, style.formats)})::timestamptz"
    if not style.has_zone:
        return _in_zone(_parsed(column, style.formats), timezone)
    local = _parsed(without_zone_sql(column), style.formats)
    moment = "make_timestamptz(epoch_us(local) - minutes * 60000000)"
    naive = _in_zone("local", timezone)
    zoned = f"list_transform([{zone_minutes_sql(column)}::bigint], lambda minutes: coalesce({moment}, {naive}))[1]"
    return f"list_transform([{local}], lambda local: {zoned})[1]"


def day_and_time_sql(day: str, time: str) -> str:
    """SQL: the text of a day with the time of day in another column; of the day alone where that is empty.

    A midnight in the day gives way. The time may be text, digits such as 93000, or a part of a day such as 0.396.
    """
    day = rf"regexp_replace(trim({day}::text), '[T ]0?0:00(:00(\.0+)?)?( ?(Z|UTC|[+]00(:?00)?))?$', '')"
    time = rf"regexp_replace(trim({time}::text), '^(1899|1900|1970)-\d\d-\d\d[T ]', '')"
    seconds = "to_seconds(round(time::double * 86400)::bigint)"
    return rf"""list_transform([{time}], lambda time: {day} || case
        when coalesce(time, '') = '' then ''
        when regexp_full_match(time, '0?\.\d+') then strftime(timestamp '1970-01-01' + {seconds}, ' %H:%M:%S')
        when regexp_full_match(time, '\d{{5}}|\d{{3}}') then ' 0' || time
        else ' ' || time end)[1]"""


def naive_sql(column: str, style: TimeStyle) -> str:
    """SQL: true for cells that carry no zone."""
    if style.formats and style.formats[0] in UNITS:
        return "false"
    if not style.has_zone:
        return "true"
    return f"{zone_minutes_sql(plain_words_sql(column) if style.has_words else column)} is null"


def _in_zone(local: str, timezone: str | None) -> str:
    return f"timezone({quoted(timezone)}, {local})" if timezone else "null::timestamptz"


def _parsed(text: str, formats: tuple[str, ...]) -> str:
    """SQL: the time of a text by the first format that fits; a format of times is not tried on dates, nor backwards."""
    with_time = [form for form in formats if "%M" in form]
    dates = [form for form in formats if "%M" not in form]

    def first(forms: list[str]) -> str:
        listed = ", ".join(map(quoted, forms))
        return f"try_strptime({text}, [{listed}])" if len(forms) > 1 else f"try_strptime({text}, {listed})"

    if with_time and dates:
        return rf"if(regexp_matches({text}, '\d[:.h]\d\d($|[^\d.])|\d[T_ ]\d'), {first(with_time)}, {first(dates)})"
    return first(list(formats)) if formats else "null::timestamp"
