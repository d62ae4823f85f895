"""The offers of the config; a save rate of "measured" is replaced by the one read out of campaigns so far."""

from collections.abc import Sequence

from features.errors import InputError, nearest
from pipelines.shop_files.project_config import ProjectConfig
from retention.economics.offers import MEASURED, Offer
from retention.measurement.save_rate_store import with_measured_save_rates


def select_offers(config: ProjectConfig, names: Sequence[str]) -> list[Offer]:
    """The named offers, or all if none is named; raises InputError where one is unknown or has no save rate yet."""
    known = {offer.name: offer for offer in with_measured_save_rates(config.offers, config.folder)}
    if not known:
        raise InputError(
            "the config has no offer", where="[[offers]]", next="Add one; `stayworth init FILE` shows its keys."
        )
    for name in names:
        if name not in known:
            hint = nearest(name, list(known)) or "known are " + ", ".join(known)
            raise InputError(f"no offer '{name}'; {hint}", where="[[offers]]", next="Name one with --offer.")
    chosen = [known[name] for name in dict.fromkeys(names)] or list(known.values())
    if missing := [offer.name for offer in chosen if offer.save_rate == MEASURED]:
        raise InputError(
            f"{len(missing)} of {len(chosen)} offers have a save rate to be measured, and no campaign with them has "
            f"been read out yet: {', '.join(missing)}",
            where="[[offers]]",
            next="Read one out (stayworth readout), give save_rate a number, or name other offers with --offer.",
        )
    return chosen


def offers_with_save_rate(config: ProjectConfig) -> list[Offer]:
    """The offers whose save rate is known."""
    return [offer for offer in with_measured_save_rates(config.offers, config.folder) if offer.save_rate != MEASURED]


def evaluation_offer(config: ProjectConfig) -> Offer | None:
    """The offer for evaluating models in money: the first with a save rate whose incentive is a sum of money."""
    return next((offer for offer in offers_with_save_rate(config) if offer.incentive_cost is not None), None)
