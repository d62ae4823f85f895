"""Readout of a campaign: what it really earned, from its plan or its bookings, and what its customers did since."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from features.errors import InputError, nearest
from features.histories.columns import Histories
from pipelines import run_folder
from pipelines.campaigns.booked_campaign import (
    OFFER_PREFIX,
    booked_campaign,
    booked_costs,
    is_booked,
    known_customers,
    no_save_rate,
)
from pipelines.campaigns.campaign import Campaign, kept_plan_file, read_campaign
from pipelines.campaigns.measured_margins import measured_margin, worth_factor_moved
from pipelines.campaigns.outcomes import closed_window, outcomes, with_scores
from pipelines.campaigns.save_rates import SAVE_RATES, record_save_rate
from pipelines.config import Config
from pipelines.order_log import read_orders, refuse_input_as_output
from retention.economics.offers import MEASURED
from retention.measurement.campaign_readout import readout
from retention.measurement.findings import findings
from retention.measurement.holm import MAX_PROVEN_P_VALUE
from retention.measurement.sample_ratio import refuse_mismatch
from retention.measurement.save_rate import measured_save_rate
from retention.planning.contact_list import SAVABLE, kept_worth
from retention.planning.plan_archive import archived_plan, check_campaign_name, refuse_namesake

METHOD = (
    "difference between treated and holdout, adjusted by least squares (one slope for both arms) for what was known "
    "before; 95 % intervals from the pooled spread and skewness of both arms (Pearson III); 'proven' at "
    f"{MAX_PROVEN_P_VALUE:.0%} over the two questions of a group, and over all groups of a breakdown (Holm)"
)


def read_out(
    config: Config,
    *,
    campaign_name: str | None,
    plan_file: Path | None,
    scores_file: Path | None,
    day: date | None,
    until: date | None,
    contacts: pd.DataFrame | None,
    now: datetime,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Read a campaign out, and write `readout-<campaign>.json` and the save rates that the next plan may use.

    campaign_name: None: the latest. One of which no plan was kept is read out of the contacts alone
    (pipelines/campaigns/booked_campaign.py). plan_file: as `plan` wrote it, its JSON beside it; None: the list that was
    kept. scores_file: the scores it was made with, where that list is without; None: the latest. day: when it began, if
    not on the day of its scores or its first contact. until: the first day after the window; None: the config's horizon
    after `day`. contacts: the contacts that were made, rows of customer_id, treated and perhaps cost (currency units,
    NaN where it was not booked), offer and at; where they name a campaign, those of this one. None, or none of them: as
    planned, at the planned cost.

    Raises Refusal, having written nothing, where the data cannot answer.
    """
    campaign = _campaign(config, campaign_name, plan_file, contacts, day=day, until=until)
    target = config.folder / f"readout-{campaign.file_name}.json"
    for path in (target, config.folder / SAVE_RATES):
        run_folder.refuse_unwritable(path)
    refuse_input_as_output(config, [target])
    say("reading the orders")
    histories = read_orders(config, now=now, say=say).histories
    end = until or campaign.day + timedelta(days=config.time.horizon_days)
    days = closed_window(histories, day=campaign.day, until=end)

    say("comparing treated and holdout")
    booked_only = campaign.holdout_share is None
    compared = replace(campaign, chosen=known_customers(campaign, histories)) if booked_only else campaign
    chosen, adjusted_for = with_scores(compared, scores_file or config.folder / run_folder.SCORES)
    adjusted_for += tuple(name for name in chosen if str(name).startswith(OFFER_PREFIX))
    chosen, contacted = booked_costs(chosen, campaign) if booked_only else _with_costs(chosen, contacts, campaign.name)
    customers = _with_outcomes(chosen, histories, day=campaign.day, window_days=days)
    p_value = _refuse_mismatch(customers, campaign)
    content = {
        "campaign": campaign.name,
        "day": campaign.day.isoformat(),
        "until": end.isoformat(),
        "window_days": days,
        "currency": config.money.currency,
        "method": METHOD,
        "adjusted_for": list(adjusted_for),
        "customers": len(customers),
        "not_in_the_log": len(campaign.chosen) - len(customers),
        "sample_ratio": {"planned": campaign.holdout_share, "p_value": p_value},
        "contacts": contacted,
        **readout(customers, scores=adjusted_for, expected_effect=_expected_effect(campaign, customers)),
    }
    content["save_rates"] = _save_rates(config, campaign, customers, content, contractual=histories.contractual)
    content["worth_factor"] = worth_factor_moved(config.folder, campaign.name) if content["save_rates"] else {}
    content["in_words"] = findings(content, currency=config.money.currency, days=days)
    if booked_only and SAVABLE not in customers:
        content["in_words"].append(no_save_rate(campaign))
    run_folder.write_json(target, content)
    return content | {"written": str(target)}


def _campaign(
    config: Config,
    name: str | None,
    plan_file: Path | None,
    contacts: pd.DataFrame | None,
    *,
    day: date | None,
    until: date | None,
) -> Campaign:
    """The campaign as planned; where no plan of it was kept, as booked."""
    if plan_file is None and name is not None and contacts is not None and is_booked(contacts, name):
        plans = config.folder / run_folder.PLANS
        check_campaign_name(name, where="--campaign")
        refuse_namesake(plans, name, where="--campaign")
        if archived_plan(plans, name) is None:
            horizon_days = config.time.horizon_days
            return booked_campaign(contacts, name, day=day, until=until, horizon_days=horizon_days)
    return read_campaign(plan_file or kept_plan_file(config.folder, name), day=day)


def _with_outcomes(chosen: pd.DataFrame, histories: Histories, *, day: date, window_days: int) -> pd.DataFrame:
    """The chosen customers whom the log has, what they did in the window, and what keeping those adds who stayed."""
    happened = outcomes(histories, chosen["customer_id"], day=day, window_days=window_days)
    customers = chosen.join(happened, on="customer_id", how="inner")
    if SAVABLE in customers:
        customers["lifetime_gain"] = customers["stayed"] * kept_worth(customers)
    return customers


def _refuse_mismatch(customers: pd.DataFrame, campaign: Campaign) -> float | None:
    """The p-value of the holdout's share, None where none was planned; raises Refusal where it is not the planned."""
    if campaign.holdout_share is None:
        return None
    held_out = int((~customers["treated"]).sum())
    arms = {"treated": len(customers) - held_out, "holdout": held_out}
    return refuse_mismatch(**arms, holdout_share=campaign.holdout_share, campaign=campaign.name)


def _contacts_of(contacts: pd.DataFrame | None, name: str) -> pd.DataFrame | None:
    """The contacts of a campaign; None where there are none."""
    if contacts is None or "campaign" not in contacts:
        return contacts
    own = contacts[contacts["campaign"] == name]
    return None if own.empty else own


def _nothing_booked(contacts: pd.DataFrame, name: str) -> str:
    """Note that no contact is booked for this campaign: perhaps its name is written in another way."""
    names = sorted(contacts["campaign"].unique())
    listed = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
    return f"nothing is booked for '{name}'; {nearest(name, names) or 'booked are: ' + (listed or 'none')}"


def _with_costs(chosen: pd.DataFrame, contacts: pd.DataFrame | None, name: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The chosen customers with the cost of each contact, and how far the contacts were those planned.

    The two arms stay as they were drawn, whoever was contacted.
    """
    own = _contacts_of(contacts, name)
    if own is None:
        note = {} if contacts is None else {"note": _nothing_booked(contacts, name)}
        cost = chosen["expected_cost"].where(chosen["treated"], 0.0)
        return chosen.assign(cost=cost), {"cost": "as planned"} | note
    if missing := [column for column in ("customer_id", "treated") if column not in own]:
        raise InputError(f"missing {', '.join(missing)}", where="treatments", next="Name its columns in the config.")
    booked_rows = own.assign(cost=own.get("cost", float("nan")))[own["treated"].astype(bool)]
    booked = chosen["customer_id"].map(booked_rows.groupby("customer_id")["cost"].sum(min_count=1))
    reached = chosen["customer_id"].isin(booked_rows["customer_id"])
    strangers = booked_rows[~booked_rows["customer_id"].isin(chosen["customer_id"])]
    cost = booked.fillna(chosen["expected_cost"]).where(chosen["treated"] & reached, 0.0)
    return chosen.assign(cost=cost), {
        "cost": "as booked" if booked[chosen["treated"] & reached].notna().all() else "as booked, or else as planned",
        "treated_but_not_contacted": int((chosen["treated"] & ~reached).sum()),
        "held_out_but_contacted": int((~chosen["treated"] & reached).sum()),
        "cost_of_held_out": float(booked[~chosen["treated"]].sum()),
        "contacted_but_not_chosen": int(strangers["customer_id"].nunique()),
        "cost_of_not_chosen": float(strangers["cost"].sum()),
        "contacted_with_another_offer": _with_another_offer(chosen[chosen["treated"]], booked_rows),
    }


def _with_another_offer(treated: pd.DataFrame, booked_rows: pd.DataFrame) -> int:
    """Number of treated customers who were contacted, but never with the offer that they were chosen for."""
    if "offer" not in booked_rows:
        return 0
    planned = treated.loc[treated["customer_id"].isin(booked_rows["customer_id"]), ["customer_id", "offer"]]
    return len(planned) - len(planned.merge(booked_rows[["customer_id", "offer"]].drop_duplicates()))


def _expected_effect(campaign: Campaign, customers: pd.DataFrame) -> float | None:
    """The effect on staying that the plan expected, per treated customer; None where it is no longer known."""
    treated = customers[customers["treated"]]
    if SAVABLE not in customers or not set(treated["offer"]) <= set(campaign.save_rates):
        return None
    return float((treated["offer"].map(campaign.save_rates) * treated[SAVABLE]).mean())


def _save_rates(
    config: Config, campaign: Campaign, customers: pd.DataFrame, content: dict[str, Any], *, contractual: bool
) -> dict[str, Any]:
    """The save rate that the campaign measured of each offer, and the posterior; written for the next plan, with the
    margin that speaks of the worth factor.

    Empty where it is not known who could be saved, or is of another window: the share would be of unknown customers.
    """
    if SAVABLE not in customers or content["window_days"] != config.time.horizon_days:
        return {}
    priors = {offer.name: offer.save_rate_belief for offer in config.offers if offer.save_rate != MEASURED}
    groups = content["by_offer"] or [content | {"offer": str(customers["offer"].iloc[0])}]
    save_rates = {}
    for group in groups:
        offer = group["offer"]
        treated = customers[customers["treated"] & (customers["offer"] == offer)]
        savable = float(treated[SAVABLE].mean())
        if "stayed" in group and group["stayed"]["sd"] > 0 and savable > 0:
            measured = measured_save_rate(
                effect_on_staying=group["stayed"]["value"], sd=group["stayed"]["sd"], mean_savable=savable
            )
            posterior = record_save_rate(
                config.folder,
                offer=offer,
                prior=priors.get(offer),
                campaign=campaign.name,
                measured=measured,
                margin=measured_margin(
                    treated, group["margin"], window_days=content["window_days"], contractual=contractual
                ),
            )
            save_rates[offer] = {"measured": measured.share, "sd": measured.sd, "believed": posterior.model_dump()}
    return save_rates
