"""`save_rates.json` in the output folder: what campaigns measured of each offer, for the next plan.

The save rate, and the margin within the window, from which the worth factor follows (worth_posterior.py). The file
keeps the measurements of each campaign, so that reading a campaign out again replaces its entry and counts it once.
pipelines/campaigns/save_rates.py writes it.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from features.errors import InputError
from models.keeping.worth_factor import WorthFactor
from retention.economics.offers import MEASURED, BetaPrior, Offer
from retention.measurement.kept_margin import MeasuredMargin
from retention.measurement.save_rate import MeasuredSaveRate
from retention.measurement.worth_posterior import OfferMargins, posterior_worth_factor

SAVE_RATES = "save_rates.json"
NEXT = "Delete it and read the campaigns out again: stayworth readout."


class SaveRateEntry(BaseModel):
    """One offer: the prior of its save rate, the measurements of each campaign, and the posterior."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    of: Literal["savable"]
    """Whom it is a share of: files made before gains had shares of all who leave, which are other numbers."""
    prior: BetaPrior
    campaigns: dict[str, MeasuredSaveRate]
    posterior: BetaPrior
    margins: dict[str, MeasuredMargin] = {}
    """By campaign, of those that speak of the worth factor."""


def with_measured_save_rates(offers: Sequence[Offer], output: Path) -> list[Offer]:
    """The offers, with the measured save rate in place of "measured"; before the first readout it stays "measured".
    output: the output folder.
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
    """The posterior save rate by offer, of those with a campaign read out; empty before the first readout."""
    return {offer: entry.posterior for offer, entry in read_save_rates(output).items()}


def believed_worth_factor(output: Path, *, without: str | None = None) -> WorthFactor:
    """What campaigns read out so far say of gains; before the first it is the prior. without: a campaign left out."""
    entries = read_save_rates(output).values()
    return posterior_worth_factor(
        [
            OfferMargins(entry.posterior, {name: margin for name, margin in entry.margins.items() if name != without})
            for entry in entries
        ]
    )


def read_save_rates(output: Path) -> dict[str, SaveRateEntry]:
    """The entries of the file by offer; empty where there is no file."""
    path = output / SAVE_RATES
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read: {error}", where=str(path), next=NEXT) from None
    try:
        return {name: SaveRateEntry.model_validate(entry) for name, entry in content.items()}
    except (AttributeError, ValidationError) as error:
        raise InputError(f"is damaged: {error}", where=str(path), next=NEXT) from None
