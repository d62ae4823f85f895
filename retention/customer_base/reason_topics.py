"""The topic of a reason, without the customer's own number: so that reasons can be counted and chosen by."""

import re

import pandas as pd


def reason_topic(reason: str) -> str:
    """The topic of a reason.

    >>> reason_topic("62 days since the last order, usually 21"), reason_topic("1 'visit' interaction so far")
    ('days since the last order', "'visit' interactions so far")
    >>> reason_topic("mean value of 'survey score' interactions: 7.50"), reason_topic("acquired by: advert")
    ("mean value of 'survey score' interactions", 'acquired by: advert')
    """
    topic = re.sub(r", usually [\d,]+$", "", reason)
    topic = re.sub(r"^1 ((?:'[^']*' )?\w*[^\Waeiou])y\b", r"\1ies", topic)
    topic = re.sub(r"^1 ((?:'[^']*' )?\w+)", r"\1s", topic)
    topic = re.sub(r"^-?\d[\d,.]* ", "", topic)
    return re.sub(r":? -?\d[\d,.]*$", "", topic)


def reason_topics(reasons: pd.Series) -> pd.Series:
    """The topics of a column of reasons; None stays None. Each different reason is looked at once."""
    codes, different = pd.factorize(reasons)
    topics = [*(reason_topic(reason) for reason in different), None]
    return pd.Series([topics[code] for code in codes], index=reasons.index, dtype=object)
