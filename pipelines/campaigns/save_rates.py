"""Recording of what campaigns measured of their offers (retention/measurement/save_rate_store.py)."""

from pathlib import Path

from pipelines import run_folder
from retention.economics.offers import BetaPrior
from retention.measurement.kept_margin import MeasuredMargin
from retention.measurement.save_rate import FLAT_PRIOR, MeasuredSaveRate, posterior_save_rate
from retention.measurement.save_rate_store import SAVE_RATES, SaveRateEntry, measured_save_rates, read_save_rates

__all__ = ["SAVE_RATES", "measured_save_rates", "record_save_rate"]


def record_save_rate(
    folder: Path,
    *,
    offer: str,
    prior: BetaPrior | None,
    campaign: str,
    measured: MeasuredSaveRate,
    margin: MeasuredMargin | None = None,
) -> BetaPrior:
    """Record the save rate that a campaign measured, and the margin where it speaks of the worth factor; returns the
    posterior of `prior` (None: flat) and all campaigns with the offer.
    """
    entries = read_save_rates(folder)
    before = prior or FLAT_PRIOR
    known = entries.get(offer)
    campaigns = (known.campaigns if known else {}) | {campaign: measured}
    margins = {name: other for name, other in (known.margins if known else {}).items() if name != campaign}
    if margin:
        margins[campaign] = margin
    posterior = posterior_save_rate(before, campaigns.values())
    entries[offer] = SaveRateEntry(
        of="savable", prior=before, campaigns=campaigns, posterior=posterior, margins=margins
    )
    content = {
        name: {
            "of": entry.of,
            "prior": entry.prior.model_dump(),
            "campaigns": {title: save_rate._asdict() for title, save_rate in entry.campaigns.items()},
            "posterior": entry.posterior.model_dump(),
            "margins": {title: measured_margin._asdict() for title, measured_margin in entry.margins.items()},
        }
        for name, entry in entries.items()
    }
    run_folder.write_json(folder / SAVE_RATES, content)
    return posterior
