"""Judge the rows of the side tables `treatments` and `costs`, as features/ingest/cleaning.py does for the histories."""

import duckdb

from features.ingest.cleaning import EPOCH_1900, LARGEST_CENTS, future_reason, placeholder_reasons
from features.ingest.column_sql import (
    Types,
    instant_in,
    is_blank,
    micros_in,
    recorded_in,
    rounded,
    texts_of,
    written,
)
from features.ingest.log import Log
from features.ingest.schema import minor_units

NEITHER = "treated is neither yes nor no"


def judge_treatments(db: duckdb.DuckDBPyConnection, types: Types, log: Log, now_us: int | None) -> None:
    """Make the view `rows_treatments` of `raw_treatments`. now_us: see `judge_orders`.

    file, row, written_id, written_at, written_campaign, written_offer, written_treated, written_cost; customer_id,
    campaign, offer (text); treated (boolean); at_us, known_us; micros (the cost in millionths of a currency unit, as
    a contact may cost less than a minor unit; null where it was not booked), cents (null); reason (null: usable).
    """
    most = LARGEST_CENTS // minor_units(log.currency) * 1_000_000
    db.execute(f"""
        create temp view rows_treatments as
        with parsed_columns as (
            select file, row, {_written(types, "campaign", "offer", "treated", "cost")}, {_who_and_when(types, log)},
                   {texts_of(types, "campaign", "offer", "fault")}, {is_blank("treated", types)} as no_treated,
                   {_yes_or_no(types["treated"])} as treated, {micros_in("cost", types)} as cost_micros
            from raw_treatments
        )
        select file, row, written_id, written_at, written_campaign, written_offer, written_treated, written_cost,
               customer_id, campaign, offer, treated, at_us, greatest(at_us, recorded_us) as known_us,
               if(cost_micros between 0 and {most}, cost_micros, null) as micros, null::bigint as cents,
               case {_who_and_when_reasons(now_us)}
                    when campaign is null then 'no campaign'
                    when offer is null then 'no offer'
                    when no_treated then 'no treated'
                    when treated is null then '{NEITHER}'
               end as reason
        from parsed_columns""")


def judge_costs(db: duckdb.DuckDBPyConnection, types: Types, log: Log, now_us: int | None) -> None:
    """Make the view `rows_costs` of `raw_costs`. now_us: see `judge_orders`.

    file, row, written_id, written_at, written_kind, written_amount; customer_id, kind (text); at_us, known_us; micros
    (the amount in millionths of a currency unit), cents; reason (null: usable).
    """
    units = minor_units(log.currency)
    most = LARGEST_CENTS // units * 1_000_000
    db.execute(f"""
        create temp view rows_costs as
        with parsed_columns as (
            select file, row, {_written(types, "kind", "amount")}, {_who_and_when(types, log)},
                   {texts_of(types, "kind", "fault")}, {is_blank("amount", types)} as no_amount,
                   try_cast(amount as double) as number, {micros_in("amount", types)} as micros
            from raw_costs
        )
        select file, row, written_id, written_at, written_kind, written_amount, customer_id, kind, at_us,
               greatest(at_us, recorded_us) as known_us, micros,
               {rounded(f"if(abs(micros) <= {most}, micros, null)", units)} as cents,
               case {_who_and_when_reasons(now_us)}
                    when kind is null then 'no kind'
                    when no_amount then 'no amount'
                    when abs(number) * 1000000 > {most} and isfinite(number) then 'amount too large'
                    when micros is null then 'amount is not a number'
               end as reason
        from parsed_columns""")


def _who_and_when_reasons(now_us: int | None) -> str:
    """SQL: the cases that both tables share."""
    return f"""when fault is not null then fault
                    when nobody then 'no customer_id'
                    when customer_id is null then 'customer_id is not a whole number'
                    when no_time then 'no at'
                    when at_us is null then 'at is not a time'
                    {placeholder_reasons("at")}
                    when at_us < {EPOCH_1900} then 'at before 1900'
                    {future_reason("at", now_us)}"""


def _who_and_when(types: Types, log: Log) -> str:
    nobody, no_time = is_blank("customer_id", types), is_blank("at", types)
    return (
        f"{nobody} as nobody, {no_time} as no_time, {texts_of(types, 'customer_id')}, "
        f"{instant_in(types, log, 'at')} as at_us, {recorded_in(types, log)}"
    )


def _written(types: Types, *names: str) -> str:
    """SQL: columns as written, for messages and the quarantine; the id as `written_id`."""
    more = [f"{written(name, types)} as written_{name}" for name in names]
    who_and_when = [f"{written('customer_id', types)} as written_id", f"{written('at', types)} as written_at"]
    return ", ".join(who_and_when + more)


def _yes_or_no(kind: str) -> str:
    """SQL: `treated` as true or false, null where it is neither."""
    if kind == "BOOLEAN":
        return "treated"
    number, word = ("try_cast(treated as double)", "lower(trim(treated))") if kind == "VARCHAR" else ("treated", "''")
    return (
        f"case when {number} = 1 or {word} in ('true', 'yes', 'y', 't', 'x', 'ja', 'oui', 'si', 'sí') then true "
        f"when {number} = 0 or {word} in ('false', 'no', 'n', 'f', 'nein', 'non') then false end"
    )
