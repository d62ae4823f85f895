"""Whom to contact with an offer, from the latest scores: a plan in money."""

from pathlib import Path

from features.errors import InputError, nearest
from pipelines import store
from pipelines.config import Config
from pipelines.latest import latest_scores
from pipelines.orders import refuse_input_as_output
from retention.offers import Offer
from retention.plan import Plan, plan


def make_plan(
    config: Config, *, budget: float, capacity: int | None, offer_name: str | None, outputs: list[Path]
) -> Plan:
    """Plan with one offer of the config under a budget; becomes the latest plan, and each of `outputs`."""
    offer = _offer(config, offer_name)
    targets = [config.folder / store.PLAN, *outputs]
    for target in targets:
        store.writable(target, kinds=store.TABLES)
    refuse_input_as_output(config, targets)
    scores = latest_scores(config.folder)
    day = scores["as_of"].iloc[0].date() if len(scores) else None
    made = plan(
        scores,
        offer,
        budget=budget,
        capacity=capacity,
        holdout_share=config.plan.holdout_share,
        campaign=f"{offer.name} {day}",
        salt=config.plan.salt,
    )
    for target in targets:
        store.write_table(target, made.frame)
    store.write_json(config.folder / store.PLAN_SUMMARY, made.summary)
    return made


def _offer(config: Config, name: str | None) -> Offer:
    names = [offer.name for offer in config.offers]
    if not names:
        raise InputError(
            "the config has no offer", where="[[offers]]", next="Add one; `stayworth init FILE` shows its keys."
        )
    if name is None:
        return config.offers[0]
    if name not in names:
        hint = nearest(name, names) or "known are " + ", ".join(names)
        raise InputError(f"no offer '{name}'; {hint}", where="[[offers]]", next="Name one with --offer.")
    return config.offers[names.index(name)]


def assumptions(config: Config) -> list[tuple[str, str]]:
    """The business numbers behind the money, as the config gives them."""
    money = config.money
    lines = [
        ("Gross margin where cost is unknown", f"{money.gross_margin:.0%}"),
        ("Discount rate a year", f"{money.annual_discount_rate:.0%}"),
        ("Lifetime looked at", f"{money.lifetime_days:,} days"),
        ("Churn", f"no order for {config.time.horizon_days} days"),
    ]
    for offer in config.offers:
        lines.append((f"Offer {offer.name}", _terms(offer, money.currency)))
    return lines


def _terms(offer: Offer, currency: str) -> str:
    return (
        f"{offer.contact_cost:,.2f} {currency} a contact, {offer.incentive_cost:,.2f} {currency} when redeemed; keeps "
        f"{offer.save_rate_mean:.1%} of would-be leavers; {offer.redeem_rate:.0%} of stayers redeem it"
    )
