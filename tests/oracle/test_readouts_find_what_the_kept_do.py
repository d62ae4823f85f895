"""After three large readouts the belief about gains holds the truth whatever the kept do next; small ones prove little.

What a readout without noise would see is taken from twins: the same customers in the same futures, held out and
contacted. With lots instead, a campaign needs several hundred thousand customers to see as much: most of the margin of
a window is that of customers who would have stayed.
"""

from dataclasses import replace

import numpy as np
import pytest

from models.keeping.worth_factor import CENTRE, PRIOR
from pipelines.campaigns.measured_margins import measured_margin
from pipelines.campaigns.save_rates import record_save_rate
from pipelines.simulator import campaign_truth, parameters
from pipelines.simulator.contact_response import NO_OFFER, respond_to_contacts
from pipelines.simulator.parameters import ANOTHER_FUTURE, FRESH_START, ONE_ORDER
from pipelines.simulator.truth import truth
from retention.economics.offers import BetaPrior
from retention.measurement.save_rate import measured_save_rate
from retention.measurement.save_rate_store import believed_worth_factor

CHOSEN, TIMES = 2000, 8
"""The best of the shop, each in so many futures of each campaign."""
BELIEVED = BetaPrior(alpha=4.0, beta=16.0)
STORIES = [ANOTHER_FUTURE, ONE_ORDER, FRESH_START]


@pytest.fixture(scope="module")
def chosen(shop, base, stage):
    """The list of a plan that takes gains to be what they are where the kept have another future."""
    true = truth(base.customers, stage, day=shop.day)
    best = np.repeat(true["gain"].nlargest(CHOSEN).index.to_numpy(), TIMES)
    return base.customers.take(best), stage[best], true.loc[best].reset_index(drop=True)


def read_out(shop, chosen, futures, folder, *, story, number, noise=1.0):
    """Record what a campaign shows of its twins, the errors `noise` times as large. Returns the true factor."""
    customers, stages, scores = chosen
    lives = replace(customers, world=replace(customers.world, kept=story))
    lived = futures(lives, stages, branch=np.tile(np.arange(TIMES), CHOSEN) + 1 + number * TIMES)
    how = {"seed": shop.seed, "day": float(shop.day)}
    done, left_alone = (
        respond_to_contacts(lives, lived, np.full(len(lives), offer), days=parameters.HORIZON_DAYS, **how)
        for offer in (0, NO_OFFER)
    )
    more = [campaign_truth.horizon_totals(lives, each, **how)[1] for each in (done, left_alone)]
    added, error = more[0] - more[1], noise / np.sqrt(len(lives))
    measured = measured_save_rate(
        effect_on_staying=done.kept.mean(),
        sd=error * done.kept.std(),
        mean_savable=scores["savable_probability"].mean(),
    )
    margin = measured_margin(
        scores,
        {"value": added.mean(), "sd": error * added.std()},
        window_days=parameters.HORIZON_DAYS,
        contractual=False,
    )
    record_save_rate(folder, offer="voucher", prior=BELIEVED, campaign=f"{number}", measured=measured, margin=margin)
    return CENTRE * truth(lives, stages, day=shop.day)["gain"].sum() / scores["gain"].sum()


@pytest.mark.slow
@pytest.mark.parametrize("story", STORIES)
def test_the_interval_holds_the_truth_of_each_story(shop, chosen, futures, tmp_path, story):
    factors = [read_out(shop, chosen, futures, tmp_path, story=story, number=number) for number in range(3)]
    worth = believed_worth_factor(tmp_path)
    low, high = worth.interval
    assert low <= factors[0] <= high, f"{factors[0]:.2f} is not in {low:.2f} to {high:.2f}"
    assert worth.readouts == 3


@pytest.mark.slow
def test_a_small_campaign_leaves_the_belief_nearly_where_it_was(shop, chosen, futures, tmp_path):
    """As unsure as a campaign of 1,000 with half held out, in the story farthest from what is believed."""
    assert read_out(shop, chosen, futures, tmp_path, story=ONE_ORDER, number=0, noise=40.0) < 0.4
    assert believed_worth_factor(tmp_path).median == pytest.approx(PRIOR.median, rel=0.1)
