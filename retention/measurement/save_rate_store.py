"""`save_rates.json` in the output folder: what campaigns measured of each offer's save rate, for the next plan.

It keeps what each campaign said, so that reading a campaign out again replaces its entry and counts it once.
pipelines/campaigns/save_rates.py writes it.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from features.errors import InputError
from retention.economics.offers import MEASURED, BetaPrior, Offer
from retention.measurement.save_rate import MeasuredSaveRate

SAVE_RATES = "save_rates.json"
NEXT = "Delete it and read the campaigns out again: stayworth readout."


class SaveRateEntry(BaseModel):
    """One offer: what was believed before, what each campaign measured, and what is believed after."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    prior: BetaPrior
    campaigns: dict[str, MeasuredSaveRate]
    posterior: BetaPrior


def with_measured_save_rates(offers: Sequence[Offer], output: Path) -> list[Offer]:
    """The offers, a save rate that is "measured" being what was read out so far; it stays as it is before the first
    readout. output: the output folder.
    """
    if all(offer.save_rate != MEASURED for offer in offers):
        return list(offers)
    rates = measured_save_rates(output)
    return [
        offer.model_copy(update={"save_rate": rates[offer.name]})
        if offer.save_rate == MEASURED and offer.name in rates
        else offer
        for offer in offers
    ]


def measured_save_rates(output: Path) -> dict[str, BetaPrior]:
    """The save rate of every offer that a campaign was read out of, by the offer's name; none before the first."""
    return {offer: entry.posterior for offer, entry in read_save_rates(output).items()}


def read_save_rates(output: Path) -> dict[str, SaveRateEntry]:
    """What the file says, by offer; nothing where it is not there."""
    path = output / SAVE_RATES
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read: {error}", where=str(path), next=NEXT) from None
    try:
        return {name: SaveRateEntry.model_validate(one) for name, one in content.items()}
    except (AttributeError, ValidationError) as error:
        raise InputError(f"is not what we wrote: {error}", where=str(path), next=NEXT) from None
