"""Customers by id: a table of slots, in which an id is looked for from the place its hash names.

A record of the heap begins with the id: its length in two bytes (low first), then its UTF-8. A slot holds the number
of a customer plus one, or 0 where the search ends. Ids are compared byte by byte: a hash only says where to begin, so
ids made to share one would be found slowly, never wrongly.

The hash is FNV-1a (Fowler, Noll and Vo) of 64 bits, its bits mixed by one more multiplication.
"""

import numpy as np
from numba import njit

LENGTH = 2
"""Bytes that say how long an id is."""


def slots_for(customers: int) -> np.ndarray:
    """Slots of which five in eight will be taken, an even number of them."""
    return np.zeros(max(8, customers * 4 // 5 * 2), np.uint32)


@njit(cache=True)
def _hash(ids: np.ndarray, begin: int, end: int) -> np.uint64:
    found = np.uint64(0xCBF29CE484222325)
    for at in range(begin, end):
        found = (found ^ np.uint64(ids[at])) * np.uint64(0x100000001B3)
    found = (found ^ (found >> np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)
    return found ^ (found >> np.uint64(29))


@njit(cache=True)
def _slot(hashed: np.uint64, slots: int) -> np.int64:
    return np.int64(((hashed >> np.uint64(32)) * np.uint64(slots)) >> np.uint64(32))


@njit(cache=True)
def hashes(ids: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Of ids that stand one after the other in UTF-8."""
    found, begin = np.empty(len(ends), np.uint64), 0
    for number, end in enumerate(ends):
        found[number] = _hash(ids, begin, end)
        begin = end
    return found


@njit(cache=True, nogil=True)
def fill_slots(slots: np.ndarray, hashed: np.ndarray, heap: np.ndarray, starts: np.ndarray) -> int:
    """Put every customer into the empty slots; returns how many are there already and were left out."""
    repeated = 0
    for customer in range(len(hashed)):
        slot = _slot(hashed[customer], len(slots))
        while slots[slot] != 0:
            other = np.int64(slots[slot]) - 1
            if hashed[other] == hashed[customer] and _is_same_id(
                heap, np.int64(starts[other]), np.int64(starts[customer])
            ):
                repeated += 1
                break
            slot = slot + 1 if slot + 1 < len(slots) else 0
        else:
            slots[slot] = np.uint32(customer + 1)
    return repeated


@njit(cache=True)
def _is_same_id(heap: np.ndarray, one: int, other: int) -> bool:
    bytes_ = LENGTH + (int(heap[one]) | int(heap[one + 1]) << 8)
    at = 0
    while at < bytes_ and heap[one + at] == heap[other + at]:
        at += 1
    return at == bytes_


@njit(cache=True)
def find_customers(
    ids: np.ndarray, ends: np.ndarray, slots: np.ndarray, heap: np.ndarray, starts: np.ndarray
) -> np.ndarray:
    """The numbers of customers whose ids stand one after the other in UTF-8; -1 for who is not there.

    All first slots are read before all first starts, and those before the ids: many reads wait for memory at once.
    """
    slot, found, start = np.empty(len(ends), np.int64), np.empty(len(ends), np.int64), np.zeros(len(ends), np.int64)
    begin = 0
    for number, end in enumerate(ends):
        slot[number] = _slot(_hash(ids, begin, end), len(slots))
        begin = end
    for number in range(len(ends)):
        found[number] = np.int64(slots[slot[number]]) - 1
    for number in range(len(ends)):
        if found[number] >= 0:
            start[number] = starts[found[number]]
    begin = 0
    for number, end in enumerate(ends):
        while found[number] >= 0 and not _equals(ids, begin, end, heap, start[number]):
            slot[number] = slot[number] + 1 if slot[number] + 1 < len(slots) else 0
            found[number] = np.int64(slots[slot[number]]) - 1
            if found[number] >= 0:
                start[number] = starts[found[number]]
        begin = end
    return found


@njit(cache=True)
def _equals(ids: np.ndarray, begin: int, end: int, heap: np.ndarray, start: int) -> bool:
    if int(heap[start]) | int(heap[start + 1]) << 8 != end - begin:
        return False
    at = begin
    while at < end and heap[start + LENGTH + at - begin] == ids[at]:
        at += 1
    return at == end


@njit(cache=True, nogil=True)
def gather_ids(heap: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ids of all customers one after the other in UTF-8, and where each begins, with the end of the last."""
    begins = np.zeros(len(starts) + 1, np.int64)
    for customer in range(len(starts)):
        start = np.int64(starts[customer])
        begins[customer + 1] = begins[customer] + (int(heap[start]) | int(heap[start + 1]) << 8)
    ids = np.empty(begins[-1], np.uint8)
    for customer in range(len(starts)):
        start, begin = np.int64(starts[customer]) + LENGTH, begins[customer]
        for at in range(begins[customer + 1] - begin):
            ids[begin + at] = heap[start + at]
    return ids, begins


@njit(cache=True, nogil=True)
def starts_with(heap: np.ndarray, starts: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Whether the id of each customer begins with these bytes."""
    found = np.empty(len(starts), np.bool_)
    for customer in range(len(starts)):
        start = np.int64(starts[customer])
        is_so, at = (int(heap[start]) | int(heap[start + 1]) << 8) >= len(first), 0
        while is_so and at < len(first):
            is_so = heap[start + LENGTH + at] == first[at]
            at += 1
        found[customer] = is_so
    return found
