"""Index of customers by id: a hash table with open addressing and linear probing.

A heap entry begins with the id: its length in two bytes (low byte first), then its UTF-8. A slot holds the number of a
customer plus one, or 0 where a search ends. Ids are compared byte by byte: the hash only says where to begin, so ids
with colliding hashes are found slowly, but never wrongly.

The hash is FNV-1a (Fowler, Noll and Vo) of 64 bits, its bits mixed by one more multiplication.
"""

import numpy as np
from numba import njit

LENGTH = 2
"""Bytes of the length of an id."""


def slots_for(customers: int) -> np.ndarray:
    """Empty slots for this many customers: an even number, of which five in eight will be taken."""
    return np.zeros(max(8, customers * 4 // 5 * 2), np.uint32)


@njit(cache=True)
def _hash(ids: np.ndarray, begin: int, end: int) -> np.uint64:
    hashed = np.uint64(0xCBF29CE484222325)
    for at in range(begin, end):
        hashed = (hashed ^ np.uint64(ids[at])) * np.uint64(0x100000001B3)
    hashed = (hashed ^ (hashed >> np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)
    return hashed ^ (hashed >> np.uint64(29))


@njit(cache=True)
def _slot(hashed: np.uint64, slots: int) -> np.int64:
    return np.int64(((hashed >> np.uint64(32)) * np.uint64(slots)) >> np.uint64(32))


@njit(cache=True)
def hashes(ids: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Hashes of ids that are concatenated in UTF-8; each id ends at its place in `ends`."""
    hashed, begin = np.empty(len(ends), np.uint64), 0
    for number, end in enumerate(ends):
        hashed[number] = _hash(ids, begin, end)
        begin = end
    return hashed


@njit(cache=True, nogil=True)
def fill_slots(slots: np.ndarray, hashed: np.ndarray, heap: np.ndarray, starts: np.ndarray) -> int:
    """Insert all customers into empty slots; returns how many were left out because their id is repeated."""
    repeated = 0
    for customer in range(len(hashed)):
        slot = _slot(hashed[customer], len(slots))
        while slots[slot] != 0:
            earlier = np.int64(slots[slot]) - 1
            if hashed[earlier] == hashed[customer] and _is_same_id(
                heap, np.int64(starts[earlier]), np.int64(starts[customer])
            ):
                repeated += 1
                break
            slot = slot + 1 if slot + 1 < len(slots) else 0
        else:
            slots[slot] = np.uint32(customer + 1)
    return repeated


@njit(cache=True)
def _is_same_id(heap: np.ndarray, first: int, second: int) -> bool:
    bytes_ = LENGTH + (int(heap[first]) | int(heap[first + 1]) << 8)
    at = 0
    while at < bytes_ and heap[first + at] == heap[second + at]:
        at += 1
    return at == bytes_


@njit(cache=True)
def find_customers(
    ids: np.ndarray, ends: np.ndarray, slots: np.ndarray, heap: np.ndarray, starts: np.ndarray
) -> np.ndarray:
    """Look up ids that are concatenated in UTF-8; returns the customers' numbers, -1 for unknown ids.

    All first slots are read before all first starts, and those before the ids, so that many reads wait for memory at
    once.
    """
    slot, customer, start = np.empty(len(ends), np.int64), np.empty(len(ends), np.int64), np.zeros(len(ends), np.int64)
    begin = 0
    for number, end in enumerate(ends):
        slot[number] = _slot(_hash(ids, begin, end), len(slots))
        begin = end
    for number in range(len(ends)):
        customer[number] = np.int64(slots[slot[number]]) - 1
    for number in range(len(ends)):
        if customer[number] >= 0:
            start[number] = starts[customer[number]]
    begin = 0
    for number, end in enumerate(ends):
        while customer[number] >= 0 and not _equals(ids, begin, end, heap, start[number]):
            slot[number] = slot[number] + 1 if slot[number] + 1 < len(slots) else 0
            customer[number] = np.int64(slots[slot[number]]) - 1
            if customer[number] >= 0:
                start[number] = starts[customer[number]]
        begin = end
    return customer


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
    """Concatenate the ids of all customers in UTF-8; also returns where each begins, and the end of the last."""
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
    """Find the customers whose id starts with these bytes; returns a mask."""
    mask = np.empty(len(starts), np.bool_)
    for customer in range(len(starts)):
        start = np.int64(starts[customer])
        matches, at = (int(heap[start]) | int(heap[start + 1]) << 8) >= len(first), 0
        while matches and at < len(first):
            matches = heap[start + LENGTH + at] == first[at]
            at += 1
        mask[customer] = matches
    return mask
