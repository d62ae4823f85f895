"""Check of the sample ratio: if arms are not as large as drawn, something besides chance decided who is in which."""

from scipy import stats

from features.errors import Refusal

MIN_P_VALUE = 0.001
"""Below this probability, chance is no explanation."""


def sample_ratio_p(*, treated: int, holdout: int, holdout_share: float) -> float:
    """The probability of a holdout at least as far off its planned share by chance (exact binomial test, two-sided).

    Source: Fabijan et al. (2019), "Diagnosing Sample Ratio Mismatch in Online Controlled Experiments", KDD. Our
    holdout is drawn with an exact size, so that a sound one is never near a small probability.

    >>> sample_ratio_p(treated=900, holdout=100, holdout_share=0.1)
    1.0
    """
    return float(stats.binomtest(holdout, treated + holdout, holdout_share).pvalue)


def refuse_mismatch(*, treated: int, holdout: int, holdout_share: float, campaign: str) -> float:
    """Return the probability of such arms by chance; raise Refusal if it is below `MIN_P_VALUE`."""
    p = sample_ratio_p(treated=treated, holdout=holdout, holdout_share=holdout_share)
    if p < MIN_P_VALUE:
        actual_share = holdout / (treated + holdout)
        raise Refusal(
            f"{holdout:,} of {treated + holdout:,} customers are in the holdout, {actual_share:.1%} instead of the "
            f"planned {holdout_share:.1%}; by chance that happens in {p:.1g} of campaigns, so nothing can be concluded",
            where=f"campaign '{campaign}'",
            next="Find out what lost or moved customers after the draw (an edited list, ids changed on the way, "
            "contacts not sent) and read out the list as it was drawn.",
        )
    return p
