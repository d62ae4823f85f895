"""Simulation of a shop with known truth, written as any shop's files, and of what follows from a campaign.

The files are written chunk by chunk, so that memory does not grow with the number of customers, and the folder appears
complete or not at all.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.clock import parse_day
from features.errors import InputError
from pipelines import run_folder
from pipelines.campaigns.campaign import Campaign, read_campaign
from pipelines.simulator import campaign_truth, parameters
from pipelines.simulator.atomic_folder import atomic_folder
from pipelines.simulator.campaign_execution import treated_offers, treatment_rows
from pipelines.simulator.config_text import config_text
from pipelines.simulator.contact_response import NO_OFFER, respond_to_contacts
from pipelines.simulator.customers import Customers
from pipelines.simulator.lifetimes import Lifetimes, latest_lifetimes
from pipelines.simulator.scenario import CustomerChunk, Scenario, customer_chunks, newcomer_chunks
from pipelines.simulator.shop_tables import customer_ids, customer_rows, interaction_rows, order_lines
from pipelines.simulator.truth import truth
from pipelines.simulator.worlds import STANDARD

SCENARIO = "shop.json"
"""File with the numbers a shop follows from, and the campaign that it has had."""
CAMPAIGN_TRUTH = "campaign_truth.json"
PARAMETERS_VERSION = 1
"""The version of the parameters: with another one the same numbers are another shop."""
USUAL = {"world_name": STANDARD, "kept": parameters.ANOTHER_FUTURE}
"""What is not written into `SCENARIO`."""
CHUNK_SIZE = 20_000
"""Customers in a file."""


def simulate(
    output: Path, shop: Scenario, *, chunk_size: int = CHUNK_SIZE, say: Callable[[str], None]
) -> dict[str, Any]:
    """Write a shop as of its day; returns the numbers of rows. Raises InputError, having written nothing."""
    shop.checked()
    with atomic_folder(output) as folder:
        chunks = _announced(customer_chunks(shop, size=chunk_size), shop, say=say)
        rows = _write_parts(folder, chunks, seed=shop.seed, until=shop.day)
        _describe(folder, shop, until=shop.as_of, campaign=None)
    numbers = {"world": shop.world_name, "as_of": shop.as_of.isoformat(), "customers": shop.customers}
    return {"folder": str(output)} | numbers | rows


def continue_simulation(
    source: Path, plan_file: Path, output: Path, *, chunk_size: int = CHUNK_SIZE, say: Callable[[str], None]
) -> dict[str, Any]:
    """Write the shop of `source` a horizon later, the treated customers of a plan contacted on its day; others join.

    plan_file: as `stayworth plan` wrote it, its JSON beside it. The plan is carried along, so that `readout` finds it
    in the new folder. What the campaign truly did stands in `campaign_truth.json`, and is returned.
    """
    shop = _read_shop(source)
    campaign = read_campaign(plan_file, day=None)
    if campaign.day != shop.as_of:
        raise InputError(
            f"the plan is of {campaign.day}, the shop stands at {shop.as_of}",
            where=str(plan_file),
            next=f"Plan with scores of that day: stayworth score --as-of {shop.as_of}.",
        )
    offers = treated_offers(campaign.chosen, customers=shop.customers, where=str(plan_file))
    totals = {name: np.zeros(len(parameters.OFFERS)) for name in campaign_truth.SUMS}
    treatments = []

    def contacted() -> Iterator[CustomerChunk]:
        for chunk in _announced(customer_chunks(shop, size=chunk_size), shop, say=say):
            offer = np.array([offers.get(customer, NO_OFFER) for customer in chunk.customers.number.tolist()])
            done = respond_to_contacts(
                chunk.customers, chunk.lifetimes, offer, seed=shop.seed, day=shop.day, days=parameters.HORIZON_DAYS
            )
            of_chunk = campaign_truth.offer_totals(chunk.customers, done, offer, seed=shop.seed, day=shop.day)
            totals.update({name: totals[name] + of_chunk[name] for name in totals})
            rows = treatment_rows(chunk.customers, done, campaign.chosen, campaign=campaign.name, day=shop.day)
            treatments.append(rows)
            yield CustomerChunk(chunk.customers, done.lifetimes)

    with atomic_folder(output) as folder:
        everyone = chain(contacted(), newcomer_chunks(shop, size=chunk_size))
        _write_parts(folder, everyone, seed=shop.seed, until=shop.day + parameters.HORIZON_DAYS)
        run_folder.write_table(folder / "treatments.parquet", pa.concat_tables(treatments))
        content = {"campaign": campaign.name, "day": shop.as_of.isoformat(), "until": shop.end.isoformat()}
        content |= campaign_truth.totals_as_json(totals)
        run_folder.write_json(folder / CAMPAIGN_TRUTH, content)
        _carry(folder, campaign, plan_file)
        _describe(folder, shop, until=shop.end, campaign=campaign.name)
    return {"folder": str(output)} | content


def _announced(
    chunks: Iterable[CustomerChunk], shop: Scenario, *, say: Callable[[str], None]
) -> Iterator[CustomerChunk]:
    """The chunks, each announced by the number of its first customer."""
    for chunk in chunks:
        say(f"customer {chunk.customers.number[0]:,} of {shop.customers:,}")
        yield chunk


def _write_parts(folder: Path, chunks: Iterable[CustomerChunk], *, seed: int, until: float) -> dict[str, int]:
    """Write all tables of these customers, a chunk at a time; returns the rows by table."""
    rows: Counter[str] = Counter()

    def described() -> Iterator[pa.Table]:
        for number, chunk in enumerate(chunks):
            rows.update(_write_part(folder, number, chunk.customers, chunk.lifetimes, seed=seed, until=until))
            yield customer_rows(chunk.customers, chunk.lifetimes, until=until)

    run_folder.write_tables(folder / "customers.parquet", described())
    return dict(rows)


def _write_part(
    folder: Path, number: int, customers: Customers, lifetimes: Lifetimes, *, seed: int, until: float
) -> dict[str, int]:
    """Write what was known of some customers before a day, and their truth on it; returns the rows by table."""
    orders, delivery = order_lines(customers, lifetimes, seed=seed, until=until)
    happened, service = interaction_rows(customers, lifetimes, seed=seed, until=until)
    true = truth(customers, latest_lifetimes(lifetimes, len(customers)).stage(until), day=until)
    tables = {
        "orders": orders,
        "interactions": happened,
        "costs": pa.concat_tables([delivery, service]),
        "truth": pa.Table.from_pandas(true, preserve_index=False).add_column(0, "customer_id", customer_ids(customers)),
    }
    for name, table in tables.items():
        (folder / name).mkdir(exist_ok=True)
        pq.write_table(table, folder / name / f"part-{number + 1:04d}.parquet", compression="lz4")
    return {name: table.num_rows for name, table in tables.items() if name != "truth"}


def _describe(folder: Path, shop: Scenario, *, until: date, campaign: str | None) -> None:
    """Write the config, and the numbers that the shop follows from; what is as in the standard world is not named."""
    config = config_text(
        customers=shop.customers, seed=shop.seed, as_of=until.isoformat(), campaign=campaign, world=shop.world
    )
    run_folder.write_text(folder / "stayworth.toml", config)
    numbers = asdict(shop) | {"as_of": shop.as_of.isoformat()}
    numbers = {name: number for name, number in numbers.items() if USUAL.get(name) != number}
    run_folder.write_json(folder / SCENARIO, {"world": PARAMETERS_VERSION, "campaign": campaign} | numbers)


def _carry(folder: Path, campaign: Campaign, plan_file: Path) -> None:
    """Keep a campaign's plan in the new folder, as the latest plan."""
    kept = folder / "runs" / run_folder.PLANS / campaign.file_name
    summary = run_folder.read_json(plan_file.with_suffix(".json"), next="")
    run_folder.write_table(kept.with_name(f"{kept.name}.parquet"), campaign.chosen)
    for path in (kept.with_name(f"{kept.name}.json"), folder / "runs" / run_folder.PLAN_SUMMARY):
        run_folder.write_json(path, summary)


def _read_shop(folder: Path) -> Scenario:
    """The shop in a folder; raises InputError where it is none, or one whose time has run on already."""
    path = folder / SCENARIO
    content = run_folder.read_json(path, next="Name a folder that `stayworth simulate -o FOLDER` wrote.")
    names = {"customers", "days", "seed", "as_of", "world", "campaign"}
    if not isinstance(content, dict) or set(content) - set(USUAL) != names or content["world"] != PARAMETERS_VERSION:
        raise InputError("is of another version of the simulator", where=str(path), next="Simulate the shop again.")
    if content["campaign"] is not None:
        raise InputError(
            f"the shop has had its campaign, '{content['campaign']}'",
            where=str(path),
            next="Continue the folder that it was continued from, with another plan.",
        )
    as_of = parse_day(content["as_of"])
    usual = {name: content.get(name, value) for name, value in USUAL.items()}
    return Scenario(content["customers"], content["days"], content["seed"], as_of, **usual).checked()
