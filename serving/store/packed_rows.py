"""Packing of feature rows into few bytes: the most common value of a column costs two bits.

A value is a float32, kept exactly. Two bits say how it is written:

    0    the usual value of its column: nothing more is written
    1    the same value as in its twin, an earlier column (with one order, the total spend is the last spend)
    2    a whole number below 256: one byte
    3    anything else: four bytes

An entry is an id (id_index), these codes, four to a byte, then the bytes of the values in order. Usual values and
twins are learned from the first rows; rows that differ from them only take more space.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from serving.store.id_index import LENGTH

SAMPLE_ROWS = 10_000
"""Rows to learn from."""
USUAL, TWIN, BYTE, WHOLE = 0, 1, 2, 3


@dataclass(frozen=True)
class Packing:
    """The packing of the columns of a store."""

    usual: np.ndarray
    """The bits of each column's most frequent value, (columns,) uint32."""
    twins: np.ndarray
    """The earlier column that each column equals most often, (columns,) int64; 0 also if there is none."""

    def to_json(self) -> dict[str, Any]:
        return {"usual": self.usual.tolist(), "twins": self.twins.tolist()}

    @staticmethod
    def from_json(content: dict[str, Any]) -> "Packing":
        return Packing(np.array(content["usual"], np.uint32), np.array(content["twins"], np.int64))

    @property
    def most_bytes(self) -> int:
        """Largest size of a row, in which no value is usual."""
        return (len(self.usual) + 3) // 4 + 4 * len(self.usual)


def learn_packing(values: np.ndarray) -> Packing:
    """Learn the packing that makes the first of these rows short. values: (rows, columns) float32."""
    bits = values[:SAMPLE_ROWS].view(np.uint32)
    usual = np.zeros(values.shape[1], np.uint32)
    for column in range(len(usual) if len(bits) else 0):
        distinct, counts = np.unique(bits[:, column], return_counts=True)
        usual[column] = distinct[counts.argmax()]
    return Packing(usual, _twins(np.ascontiguousarray(bits.T), usual))


@njit(cache=True)
def _twins(columns: np.ndarray, usual: np.ndarray) -> np.ndarray:
    twins = np.zeros(len(columns), np.int64)
    for column in range(len(columns)):
        most = 0
        for earlier in range(column):
            equal = 0
            for row in range(columns.shape[1]):
                value = columns[column, row]
                equal += value == columns[earlier, row] and value != usual[column]
            if equal > most:
                twins[column], most = earlier, equal
    return twins


@njit(cache=True)
def pack(
    ids: np.ndarray,
    ends: np.ndarray,
    values: np.ndarray,
    usual: np.ndarray,
    twins: np.ndarray,
    heap: np.ndarray,
    starts: np.ndarray,
) -> int:
    """Write entries into `heap` and their starts into `starts`; returns how many bytes they take.

    ids: concatenated in UTF-8, each up to its place in `ends`. values: (rows, columns) float32.
    """
    bits = values.view(np.uint32)
    columns, at, begin = values.shape[1], 0, 0
    for row in range(len(values)):
        starts[row], length = at, ends[row] - begin
        heap[at], heap[at + 1] = length & 255, length >> 8
        heap[at + LENGTH : at + LENGTH + length] = ids[begin : ends[row]]
        begin = ends[row]
        codes = at + LENGTH + length
        at = codes + (columns + 3) // 4
        heap[codes:at] = 0
        for column in range(columns):
            bit, value = bits[row, column], values[row, column]
            if bit == usual[column]:
                continue
            if twins[column] < column and bit == bits[row, twins[column]]:
                code = TWIN
            elif 0 <= value < 256 and value == np.floor(value) and (value > 0 or bit == 0):
                code, heap[at] = BYTE, np.uint8(value)
                at += 1
            else:
                code = WHOLE
                for byte in range(4):
                    heap[at + byte] = (bit >> np.uint32(8 * byte)) & np.uint32(255)
                at += 4
            heap[codes + column // 4] |= np.uint8(code << 2 * (column % 4))
    return at


@njit(cache=True)
def unpack(
    heap: np.ndarray, starts: np.ndarray, customers: np.ndarray, usual: np.ndarray, twins: np.ndarray
) -> np.ndarray:
    """Unpack the rows of these customers: the bits of their float32 values, (columns, customers) uint32."""
    bits = np.empty((len(usual), len(customers)), np.uint32)
    for row in range(len(customers)):
        start = np.int64(starts[customers[row]])
        codes = start + LENGTH + (int(heap[start]) | int(heap[start + 1]) << 8)
        at = codes + (len(usual) + 3) // 4
        for column in range(len(usual)):
            code = heap[codes + column // 4] >> np.uint8(2 * (column % 4)) & 3
            if code == USUAL:
                bits[column, row] = usual[column]
            elif code == TWIN:
                bits[column, row] = bits[twins[column], row]
            elif code == BYTE:
                bits[column, row] = np.float32(heap[at]).view(np.uint32)
                at += 1
            else:
                whole = np.uint32(0)
                for byte in range(4):
                    whole |= np.uint32(heap[at + byte]) << np.uint32(8 * byte)
                bits[column, row] = whole
                at += 4
    return bits


@njit(cache=True, nogil=True)
def is_whole(heap: np.ndarray, starts: np.ndarray, columns: int) -> bool:
    """True if every entry ends where the next one starts, and the last within 8 bytes of the end."""
    at = 0
    for customer in range(len(starts)):
        if np.int64(starts[customer]) != at or at + LENGTH > len(heap):
            return False
        codes = at + LENGTH + (int(heap[at]) | int(heap[at + 1]) << 8)
        at = codes + (columns + 3) // 4
        if at > len(heap):
            return False
        for column in range(columns):
            code = heap[codes + column // 4] >> np.uint8(2 * (column % 4)) & 3
            at += 4 if code == WHOLE else 1 if code == BYTE else 0
    return at <= len(heap) < at + 8
