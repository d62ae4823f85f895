"""Planning of a campaign from the latest scores: who gets which offer, in money, kept before anything is sent."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from features.clock import YEAR_DAYS
from features.errors import InputError
from pipelines import run_folder
from pipelines.batches.latest_scores import latest_scores
from pipelines.campaigns.configured_offers import select_offers
from pipelines.campaigns.customer_effects import customer_effects
from pipelines.campaigns.treatments import treatments_if_any
from pipelines.config import Config
from pipelines.order_log import refuse_input_as_output
from pipelines.shop_files.project_config import ProjectConfig
from retention.customer_base.segments import LET_GO
from retention.economics.offers import Offer
from retention.measurement.save_rate_store import believed_worth_factor
from retention.planning import plan_archive
from retention.planning.contact_list import contact_list
from retention.planning.holdout_choice import choose_holdout
from retention.planning.retention_plan import Plan, plan
from retention.planning.suppression import suppressed_customers
from retention.presentation.formatting import counted

WHERE = "--campaign"


def make_plan(
    config: Config,
    *,
    budget: float,
    capacity: int | None,
    offer_names: Sequence[str],
    campaign: str | None,
    outputs: list[Path],
    holdout: float | Literal["auto"] | None = None,
    warn: Callable[[str], None] = lambda _: None,
) -> Plan:
    """Plan with these offers of the config, or all, under a budget; becomes the latest plan, and each of `outputs`.

    holdout: the share of the chosen held out; "auto": the one whose readout is worth most over a year of such
    campaigns, told in summary["holdout_value"]; None: that of the config. warn: is told, before anything is kept, what
    the readout will be unable to show.

    campaign: its name, which decides who is held out; None: "campaign" and the day of the scores. The plan is kept in
    the folder `store.PLANS` with the scores it rests on, for the readout and for the quiet days of later plans. A
    campaign that is planned again takes its own place. Where `stayworth effects` found that a learner helps, the
    customers' own effects take the place of one save rate; summary["effects"] says so of each offer. Gains are taken
    to be what campaigns read out so far say: summary["worth_factor"].
    """
    offers = select_offers(config, offer_names)
    targets = [config.folder / run_folder.PLAN, *outputs]
    for target in targets:
        run_folder.refuse_unwritable(target, kinds=run_folder.TABLES)
    refuse_input_as_output(config, targets)
    scores = latest_scores(config.folder)
    if scores.empty:
        raise InputError("no customer is scored", where="plan", next="Score first: stayworth score --as-of DAY.")
    day = scores["as_of"].iloc[0].date()
    name = f"campaign {day}" if campaign is None else plan_archive.check_campaign_name(campaign, where=WHERE)
    plan_archive.refuse_namesake(config.folder / run_folder.PLANS, name, where=WHERE)
    effects = customer_effects(config, offers, as_of=day)
    limits: dict[str, Any] = {
        "budget": budget,
        "capacity": capacity,
        "capacities": capacities(config, offers),
        "excluded": suppressed_customers(
            do_not_contact=do_not_contact(config),
            plans=config.folder / run_folder.PLANS,
            quiet_days=config.plan.quiet_days,
            as_of=day,
            campaign=name,
            treatments=treatments_if_any(config, now=None) if config.plan.quiet_days else None,
        ),
        "effects": effects.frame,
        "worth": believed_worth_factor(config.folder),
        "campaign": name,
        "salt": config.plan.salt,
    }
    chosen_share = {}
    if holdout == "auto":
        later = max(1, YEAR_DAYS // config.time.horizon_days)
        value = choose_holdout(scores, effects.offers, later_campaigns=later, **limits)
        holdout, chosen_share = value.share, {"holdout_value": value._asdict() | {"later_campaigns": later}}
    share = config.plan.holdout_share if holdout is None else holdout
    retention_plan = plan(scores, effects.offers, holdout_share=share, **limits)
    about = {"campaign": name, "as_of": day.isoformat()}
    summary = about | retention_plan.summary | {"effects": effects.explanations} | chosen_share
    retention_plan = replace(retention_plan, summary=summary)
    if summary["readout_warning"]:
        warn(summary["readout_warning"])
    if let_go := _let_go(retention_plan, scores):
        warn(
            f"{counted(let_go, 'customer')} of the plan {'is' if let_go == 1 else 'are'} let go by the segments of "
            "these scores: an offer has become cheaper since. Score again, and the segments agree."
        )
    plan_archive.archive_plan(
        config.folder, retention_plan.frame, retention_plan.summary, scores, replaces=True, where=WHERE
    )
    channels = {offer.name: offer.channel for offer in offers}
    for output in outputs:
        is_for_people = output.suffix == ".csv"
        listed = contact_list(retention_plan.frame, scores, channels, currency=config.money.currency)
        run_folder.write_table(output, listed if is_for_people else retention_plan.frame)
    return retention_plan


def _let_go(retention_plan: Plan, scores: pd.DataFrame) -> int:
    """The customers of a plan who are let go: none where the scores know its offers."""
    let_go = scores.loc[scores["segment"] == LET_GO, "customer_id"]
    return int(retention_plan.frame["customer_id"].isin(let_go).sum())


def do_not_contact(config: ProjectConfig) -> Path | None:
    """The file of customers who must not be contacted; None where the config names none."""
    named = config.plan.do_not_contact
    return Path(os.path.normpath(config.home / named)) if named else None


def capacities(config: ProjectConfig, offers: Sequence[Offer]) -> dict[str, int]:
    """The capacities of the channels that these offers use; one of a channel that no offer at all has is refused."""
    known = sorted({offer.channel for offer in config.offers if offer.channel})
    if strange := [channel for channel in config.plan.capacity if channel not in known]:
        raise InputError(
            f"a capacity for {', '.join(map(repr, strange))}, but no offer has such a channel; the offers' channels: "
            f"{', '.join(known) or 'none'}",
            where="[plan.capacity]",
            next="Give an offer that channel, or remove the capacity.",
        )
    used = {offer.channel for offer in offers}
    return {channel: most for channel, most in config.plan.capacity.items() if channel in used}


def assumptions(config: Config) -> list[tuple[str, str]]:
    """The business numbers behind the money, as the config gives them."""
    money = config.money
    lines = [
        ("Gross margin where cost is unknown", f"{money.gross_margin:.0%}"),
        ("Discount rate a year", f"{money.annual_discount_rate:.0%}"),
        ("Lifetime considered", f"{money.lifetime_days:,} days"),
        ("Churn", f"no order for {config.time.horizon_days} days"),
        (
            "Worth of a saved customer",
            "what customers brought who ordered once, less what the silent brought",
        ),
    ]
    for offer in config.offers:
        lines.append((f"Offer {offer.name}", _terms(offer, money.currency)))
    return lines


def _terms(offer: Offer, currency: str) -> str:
    paid = (
        f"{offer.incentive_share:.0%} of an order's margin"
        if offer.incentive_cost is None
        else f"{offer.incentive_cost:,.2f} {currency}"
    )
    keeps = (
        "as measured" if isinstance(offer.save_rate, str) else f"{offer.save_rate_mean:.1%} of those who can be saved"
    )
    return (
        f"{offer.contact_cost:,.2f} {currency} a contact, {paid} when redeemed; keeps {keeps}; "
        f"{offer.redeem_rate:.0%} of stayers redeem it"
    )
