"""Index of a batch of scores for filtering and sorting: its columns, its sort orders, its reasons by topic.

Built once per batch (5 M customers: about 3 s and 330 MB in each worker), beside the requests. The pages then work on
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
from serving.store.score_store import Store

SORT_KEYS = ("value_at_risk", "churn_probability", "clv", "expected_value")
"""Columns by which the list can be sorted."""


@dataclass(frozen=True)
class CodedTexts:
    """Distinct texts, and the code of each customer's text."""

    texts: list[str]
    counts: list[int]
    """Number of customers' entries with each text."""
    codes: list[np.ndarray]
    """Places in `texts`; the code len(texts) means none. Several arrays if a customer may have several texts."""

    def mask(self, text: str) -> np.ndarray:
        """True for the customers with this text; False for all if the text does not occur."""
        code = self.texts.index(text) if text in self.texts else -1
        mask = np.zeros(len(self.codes[0]), bool)
        for codes in self.codes if code >= 0 else ():
            mask |= codes == code
        return mask


@dataclass(frozen=True)
class CustomerIndex:
    """A batch of scores, ready for filtering and sorting."""

    store: Store
    numbers: dict[str, np.ndarray]
    """Columns by `SORT_KEYS`, float64."""
    orders: dict[str, np.ndarray]
    """Places of the customers sorted by each of `SORT_KEYS`, largest first, ties in the order of the batch; uint32."""
    segments: CodedTexts
    reasons: CodedTexts
    """Topics of the reasons, the most frequent first."""


class CurrentIndex:
    """The index of the scores in service, built again when they change."""

    def __init__(self, scores: HotReload[Store]) -> None:
        self.scores = scores
        self.current: CustomerIndex | None = None

    def refresh(self) -> None:
        """Build the index, if the scores have changed."""
        store = self.scores.current
        if store is not None and (self.current is None or self.current.store is not store):
            self.current = build_index(store)


def build_index(store: Store) -> CustomerIndex:
    """Index a batch."""
    records = store.records
    numbers = {name: np.ascontiguousarray(records[name]) for name in SORT_KEYS[1:]}
    numbers["value_at_risk"] = np.ascontiguousarray(value_at_risk(records))
    orders = {name: np.argsort(-numbers[name], kind="stable").astype(np.uint32) for name in SORT_KEYS}
    id_index.starts_with(store.heap, store.starts[:2], np.frombuffer(b"0", np.uint8))  # compiled now, not at a request
    customer_table(store, np.arange(min(2, store.customers)))
    segments = _coded_texts(store, ("segment",), str)
    return CustomerIndex(store, numbers, orders, segments, _coded_texts(store, REASONS, reason_topic))


def _coded_texts(store: Store, columns: tuple[str, ...], label: Callable[[str], str]) -> CodedTexts:
    """Label the texts of these columns and code the labels, the most frequent first."""
    numbers = [np.ascontiguousarray(store.records[name]) for name in columns]
    used = np.unique(np.concatenate([np.unique(column) for column in numbers]))
    used = used[used != shared_texts.NO_TEXT]
    labels = [label(store.text(int(number))) for number in used]
    texts = sorted(set(labels))
    code = {text: number for number, text in enumerate(texts)}
    table = np.array([*(code[text] for text in labels), len(texts)], np.uint32)
    codes = [table[np.searchsorted(used, column)] for column in numbers]
    totals = np.sum([np.bincount(column, minlength=len(texts) + 1)[:-1] for column in codes], axis=0)
    order = np.argsort(-totals, kind="stable")
    recoded = np.empty(len(texts) + 1, np.uint16 if len(texts) < 2**16 - 1 else np.uint32)
    recoded[order], recoded[-1] = np.arange(len(texts)), len(texts)
    return CodedTexts(
        [texts[place] for place in order],
        [int(totals[place]) for place in order],
        [recoded[column] for column in codes],
    )
