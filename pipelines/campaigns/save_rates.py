"""`save_rates.json`: what campaigns measured of each offer's save rate, for the next plan.

It keeps what each campaign said, so that reading a campaign out again replaces its entry and counts it once.
"""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from features.errors import InputError
from pipelines import store
from retention.offers import BetaPrior
from retention.save_rate import FLAT, Measured, posterior

SAVE_RATES = "save_rates.json"
NEXT = "Delete it and read the campaigns out again: stayworth readout."


class Entry(BaseModel):
    """One offer: what was believed before, what each campaign measured, and what is believed after."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    prior: BetaPrior
    campaigns: dict[str, Measured]
    posterior: BetaPrior


def measured_save_rates(folder: Path) -> dict[str, BetaPrior]:
    """The save rate of every offer that a campaign was read out of, by the offer's name; none before the first."""
    return {offer: entry.posterior for offer, entry in _read(folder).items()}


def remember(folder: Path, *, offer: str, prior: BetaPrior | None, campaign: str, measured: Measured) -> BetaPrior:
    """Add what a campaign measured of an offer, and return what is believed now: `prior` (None: nothing) and all
    campaigns of the offer.
    """
    entries = _read(folder)
    before = prior or FLAT
    campaigns = (entries[offer].campaigns if offer in entries else {}) | {campaign: measured}
    after = posterior(before, campaigns.values())
    entries[offer] = Entry(prior=before, campaigns=campaigns, posterior=after)
    content = {
        name: {
            "prior": one.prior.model_dump(),
            "campaigns": {title: said._asdict() for title, said in one.campaigns.items()},
            "posterior": one.posterior.model_dump(),
        }
        for name, one in entries.items()
    }
    store.write_json(folder / SAVE_RATES, content)
    return after


def _read(folder: Path) -> dict[str, Entry]:
    path = folder / SAVE_RATES
    if not path.exists():
        return {}
    content = store.read_json(path, next=NEXT)
    try:
        return {name: Entry.model_validate(one) for name, one in content.items()}
    except (AttributeError, ValidationError) as error:
        raise InputError(f"is not what we wrote: {error}", where=str(path), next=NEXT) from None
