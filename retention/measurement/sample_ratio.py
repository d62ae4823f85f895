"""Whether treated and holdout are as many as was drawn: if not, something besides the lots decided who is in which."""

from scipy import stats

from features.errors import Refusal

MIN_P_VALUE = 0.001
"""Below this probability we do not believe in chance."""


def sample_ratio_p(*, treated: int, holdout: int, holdout_share: float) -> float:
    """How likely a holdout at least as far off its planned share is by chance (exact binomial test, two-sided).

    Source: Fabijan et al. (2019), "Diagnosing Sample Ratio Mismatch in Online Controlled Experiments", KDD. Our
    holdout is drawn with an exact size, so that a sound one is never near a small probability.

    >>> sample_ratio_p(treated=900, holdout=100, holdout_share=0.1)
    1.0
    """
    return float(stats.binomtest(holdout, treated + holdout, holdout_share).pvalue)


def refuse_mismatch(*, treated: int, holdout: int, holdout_share: float, campaign: str) -> float:
    """The probability; raises Refusal if the sizes of the arms are not by chance."""
    p = sample_ratio_p(treated=treated, holdout=holdout, holdout_share=holdout_share)
    if p < MIN_P_VALUE:
        found = holdout / (treated + holdout)
        raise Refusal(
            f"{holdout:,} of {treated + holdout:,} customers are in the holdout, {found:.1%} instead of the planned "
            f"{holdout_share:.1%}; by chance that happens in {p:.1g} of campaigns, so nothing can be concluded",
            where=f"campaign '{campaign}'",
            next="Find out what lost or moved customers after the draw (an edited list, ids changed on the way, "
            "contacts not sent) and read out the list as it was drawn.",
        )
    return p
