"""What a reason is about, without the customer's own number: so that reasons can be counted and chosen by."""

import re

import pandas as pd


def reason_topic(reason: str) -> str:
    """What a reason is about.

    >>> reason_topic("62 days since the last order, usually 21"), reason_topic("1 event of 'visit' in the last 30 days")
    ('days since the last order', "events of 'visit' in the last 30 days")
    >>> reason_topic("mean value of 'survey score' 7.50"), reason_topic("acquired by: advert")
    ("mean value of 'survey score'", 'acquired by: advert')
    """
    said = re.sub(r", usually [\d,]+$", "", reason)
    said = re.sub(r"^1 (\w+)", r"\1s", said)
    said = re.sub(r"^-?\d[\d,.]* ", "", said)
    return re.sub(r" -?\d[\d,.]*$", "", said)


def reason_topics(reasons: pd.Series) -> pd.Series:
    """The same of a column; None stays None. Each different sentence is looked at once."""
    codes, sentences = pd.factorize(reasons)
    named = [*(reason_topic(one) for one in sentences), None]
    return pd.Series([named[code] for code in codes], index=reasons.index, dtype=object)
