"""A batch of scores made ready to be filtered and sorted: its columns one by one, its orders, its reasons by kind.

Made once per batch (5 M customers: some 3 s and 330 MB in each worker), beside the requests. The pages then work on
masks: no request touches a frame of all customers.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.prediction import REASONS
from retention.customer_base.reason_topics import reason_topic
from retention.economics.profit import value_at_risk
from serving.console.customer_table import customer_table
from serving.hot_reload import HotReload
from serving.store import id_index, shared_texts
from serving.store.store import Store

SORT_KEYS = ("value_at_risk", "churn_probability", "clv", "expected_value")
"""What the list can be sorted by."""


@dataclass(frozen=True)
class CodedTexts:
    """Texts and, for every customer, which of them is theirs."""

    texts: list[str]
    counts: list[int]
    """How often each is there."""
    codes: list[np.ndarray]
    """Places in `texts`, which has one less than there are codes: the last means none. Several where one may have
    several."""

    def of(self, text: str) -> np.ndarray:
        """Who has this text, as a mask; nobody for one that is not there."""
        code = self.texts.index(text) if text in self.texts else -1
        mask = np.zeros(len(self.codes[0]), bool)
        for codes in self.codes if code >= 0 else ():
            mask |= codes == code
        return mask


@dataclass(frozen=True)
class CustomerIndex:
    """A batch, ready to be looked through."""

    store: Store
    numbers: dict[str, np.ndarray]
    """By `KEYS`, float64."""
    orders: dict[str, np.ndarray]
    """The customers' places by each of `KEYS`, largest first, equal ones as they stand in the batch; uint32."""
    segments: CodedTexts
    reasons: CodedTexts
    """What reasons are about, the most frequent first."""


class CurrentIndex:
    """The ranking of the scores that are held, made anew when they change."""

    def __init__(self, scores: HotReload[Store]) -> None:
        self.scores = scores
        self.current: CustomerIndex | None = None

    def refresh(self) -> None:
        """Make it, if the scores are others."""
        store = self.scores.current
        if store is not None and (self.current is None or self.current.store is not store):
            self.current = build_index(store)


def build_index(store: Store) -> CustomerIndex:
    """The ranking of a batch."""
    records = store.records
    numbers = {name: np.ascontiguousarray(records[name]) for name in SORT_KEYS[1:]}
    numbers["value_at_risk"] = value_at_risk(numbers)
    orders = {name: np.argsort(-numbers[name], kind="stable").astype(np.uint32) for name in SORT_KEYS}
    id_index.starts_with(store.heap, store.starts[:2], np.frombuffer(b"0", np.uint8))  # compiled now, not at a request
    customer_table(store, np.arange(min(2, store.customers)))
    segments = _coded_texts(store, ("segment",), str)
    return CustomerIndex(store, numbers, orders, segments, _coded_texts(store, REASONS, reason_topic))


def _coded_texts(store: Store, columns: tuple[str, ...], say: Callable[[str], str]) -> CodedTexts:
    """What `say` makes of the texts of these columns, the most frequent first."""
    numbers = [np.ascontiguousarray(store.records[name]) for name in columns]
    used = np.unique(np.concatenate([np.unique(one) for one in numbers]))
    used = used[used != shared_texts.NO_TEXT]
    said = [say(store.text(int(one))) for one in used]
    texts = sorted(set(said))
    place = {text: at for at, text in enumerate(texts)}
    table = np.array([*(place[text] for text in said), len(texts)], np.uint32)
    codes = [table[np.searchsorted(used, one)] for one in numbers]
    totals = np.sum([np.bincount(one, minlength=len(texts) + 1)[:-1] for one in codes], axis=0)
    order = np.argsort(-totals, kind="stable")
    again = np.empty(len(texts) + 1, np.uint16 if len(texts) < 2**16 - 1 else np.uint32)
    again[order], again[-1] = np.arange(len(texts)), len(texts)
    return CodedTexts([texts[one] for one in order], [int(totals[one]) for one in order], [again[one] for one in codes])
