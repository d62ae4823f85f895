"""What a campaign measured of an offer's save rate, added to what the others did
(retention/measurement/save_rate_store.py).
"""

from pathlib import Path

from pipelines import run_folder
from retention.economics.offers import BetaPrior
from retention.measurement.save_rate import FLAT_PRIOR, MeasuredSaveRate, posterior_save_rate
from retention.measurement.save_rate_store import SAVE_RATES, SaveRateEntry, measured_save_rates, read_save_rates

__all__ = ["SAVE_RATES", "measured_save_rates", "record_save_rate"]


def record_save_rate(
    folder: Path, *, offer: str, prior: BetaPrior | None, campaign: str, measured: MeasuredSaveRate
) -> BetaPrior:
    """Add what a campaign measured of an offer, and return what is believed now: `prior` (None: nothing) and all
    campaigns of the offer.
    """
    known = read_save_rates(folder)
    before = prior or FLAT_PRIOR
    campaigns = (known[offer].campaigns if offer in known else {}) | {campaign: measured}
    after = posterior_save_rate(before, campaigns.values())
    known[offer] = SaveRateEntry(prior=before, campaigns=campaigns, posterior=after)
    content = {
        name: {
            "prior": one.prior.model_dump(),
            "campaigns": {title: said._asdict() for title, said in one.campaigns.items()},
            "posterior": one.posterior.model_dump(),
        }
        for name, one in known.items()
    }
    run_folder.write_json(folder / SAVE_RATES, content)
    return after
