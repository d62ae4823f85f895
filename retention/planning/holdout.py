"""The random holdout: chosen customers who are not contacted, so that the campaign's effect can be measured."""

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from features.arrays import Integers


def random_ranks(customer_ids: Iterable[str], *, campaign: str, salt: str) -> Integers:
    """Each customer's rank, from 0, in the order of BLAKE2b(salt, campaign, customer), 128 bits.

    The same customers are drawn on every rerun and in any row order, others in another campaign, and nobody who
    does not know the salt can foresee it. An id that occurs twice has two ranks side by side: pass each customer once.
    Salt and campaign are written with their length before them, so that no two pairs read the same ("a" +
    "bc" is not "ab" + "c").
    """
    parts = [text.encode() for text in (salt, campaign)]
    prefix = b"".join(b"%d:%b" % (len(text), text) for text in parts)
    digests = [blake2b(prefix + customer.encode(), digest_size=16).digest() for customer in customer_ids]
    words = np.frombuffer(b"".join(digests), dtype=">u8").reshape(-1, 2)
    places = np.empty(len(digests), dtype=np.int64)
    places[np.lexsort((words[:, 1], words[:, 0]))] = np.arange(len(digests))
    return places


def draw_holdout(ranks: Integers, offers: NDArray[np.int8], channels: Integers, *, share: float) -> NDArray[np.bool_]:
    """True for exactly round(n share) of n chosen customers, spread over channels and offers as evenly as can be.

    `offers` is the place of each customer's offer and `channels` that of each offer's channel. Of each channel and each
    offer its share is held out, rounded down or up (the largest remainders up); of an offer, the smallest ranks.
    """
    held_out = np.zeros(len(ranks), dtype=bool)
    counts = np.bincount(offers, minlength=len(channels))
    of_channels = np.bincount(channels, weights=counts).astype(np.int64)
    for channel, quota in enumerate(_shared_out(of_channels, share, total=round(len(ranks) * share))):
        channel_offers = np.flatnonzero(channels == channel)
        quotas = _shared_out(counts[channel_offers], share, total=int(quota))
        for offer, count in zip(channel_offers, quotas, strict=True):
            takers = np.flatnonzero(offers == offer)
            if count:
                held_out[takers[np.argpartition(ranks[takers], count - 1)[:count]]] = True
    return held_out


def _shared_out(counts: Integers, share: float, *, total: int) -> Integers:
    """`total` as whole numbers, each the share of its count rounded down or up; of equal remainders the earlier up."""
    exact = counts * share
    quotas = np.floor(exact).astype(np.int64)
    quotas[np.argsort(quotas - exact, kind="stable")[: max(total - int(quotas.sum()), 0)]] += 1
    return np.minimum(quotas, counts)
