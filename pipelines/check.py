"""The data report: rows accepted and quarantined, to the cent, the extent of the log, and the horizons compared."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from functools import partial
from typing import Any

from features.errors import Refusal
from features.histories.columns import Histories
from features.histories.contract_ends import count_leaving
from features.ingest.mistakes.cells import MOST_UNREAD, share_unread
from features.ingest.mistakes.find_mistakes import find_mistakes, find_unmatched
from features.ingest.open_log import Reading
from features.ingest.schema import SIDE_TABLES
from features.ingest.side_tables import SideTable, read_side_table
from features.snapshots import churn_horizon
from pipelines import run_folder
from pipelines.config import Config
from pipelines.leakage.leaking_attributes import leak_warning, leaking_attributes
from pipelines.order_log import read_orders, reconciliation_rows, weeks_of, write_reconciliation
from pipelines.training.answered_horizons import answer_in_words, answered_horizon


def check(config: Config, *, now: datetime) -> dict[str, Any]:
    """Check the log: reconciliation, extent, and horizons. Rows that cannot be used go to a quarantine file per table.

    The horizons come with their false-churn rates, and one is advised. Where churn is contractual (`left_at`) there is
    no false churn: they come with their churn rates, none is advised, and `leaving` counts the customers who left.
    `warnings` are the usual mistakes of exports, each with the line of the config that mends it.
    """
    now_us = int(now.timestamp() * 1_000_000)
    books = {table: read_side_table(config.log, table, now_us=now_us) for table in config.log.books}
    orders = read_orders(config, now=now, inspect=partial(_find_mistakes, books=books))
    histories, warnings = orders.histories, list(orders.found["warnings"])
    leaks = leaking_attributes(histories, horizon_days=config.time.horizon_days, seed=config.train.seed)
    warnings += [asdict(leak_warning(leak)) for leak in leaks]
    weeks = weeks_of(histories)
    run_folder.write_json(config.folder / run_folder.WEEKS, weeks)
    quarantined = write_reconciliation(config, orders.account, orders.quarantine())
    for table, book in books.items():
        run_folder.write_table(config.folder / run_folder.QUARANTINE_OF.format(table), book.quarantine)
    return {
        "orders": config.log.tables["orders"].label("orders"),
        "customers": histories.customers,
        "order_count": len(histories.columns.at),
        "first_day": histories.first_day.isoformat(),
        "end": histories.end.isoformat(),
        "currency": config.money.currency,
        "reconciliation": reconciliation_rows(orders.account.orders),
        "interactions": reconciliation_rows(orders.account.interactions),
        "customer_rows": reconciliation_rows(orders.account.customers),
        "attributes": [
            {"column": name, **asdict(replace(kind, rare=())), "rare": len(kind.rare)}
            for name, kind in histories.attribute_kinds.items()
        ],
        "described": orders.described,
        **{table: reconciliation_rows(books[table].account) if table in books else [] for table in SIDE_TABLES},
        "horizon_days": config.time.horizon_days,
        **_horizons(histories, horizon_days=config.time.horizon_days),
        "quarantined": quarantined,
        "quarantine": str(config.folder / run_folder.QUARANTINE),
        "warnings": warnings,
        "weeks": weeks,
        "unread_share": orders.found["unread_share"],
    }


def _find_mistakes(opened: Reading, *, books: Mapping[str, SideTable]) -> dict[str, Any]:
    """The usual mistakes of exports in an open log, and the share of its amounts that could not be read."""
    warnings = find_mistakes(opened)
    for table, book in books.items():
        warnings += find_unmatched(opened, table, book.rows)
    return {"warnings": [asdict(warning) for warning in warnings], "unread_share": share_unread(opened)}


def refuse_unread(content: dict[str, Any]) -> None:
    """Raise Refusal where more amounts could not be read than a log can spare."""
    if content["unread_share"] > MOST_UNREAD:
        raise Refusal(
            f"{content['unread_share']:.1%} of the amounts could not be read, more than {MOST_UNREAD:.0%}: their money "
            "is in no figure",
            where=content["orders"],
            next="Say how they are written, in [read.orders]; the warnings show some.",
        )


def _horizons(histories: Histories, *, horizon_days: int) -> dict[str, Any]:
    """The horizons compared, with the follow-up they rest on, and whether churn is contractual.

    `answered`: what `train` gives for that of the config, in words.
    """
    answered = partial(answered_horizon, histories)
    rates: Sequence[churn_horizon.ContractualChurnRate | churn_horizon.HorizonCandidate]
    if histories.contractual:
        counts = asdict(count_leaving(histories))
        counts["last_left"] = counts["last_left"] and counts["last_left"].isoformat()
        rates, follow_up, best = churn_horizon.churn_rates(histories, answered=answered), None, None
    else:
        counts = None
        rates, follow_up = churn_horizon.compare_horizons(histories, answered=answered)
        best = churn_horizon.advise_horizon(rates)
    return {
        "contractual": histories.contractual,
        "leaving": counts,
        "horizons": [asdict(rate) for rate in rates],
        "follow_up_days": follow_up,
        "advised_horizon_days": best.horizon_days if best else None,
        "answered": answer_in_words(histories, horizon_days),
    }
