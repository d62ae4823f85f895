"""Random numbers by address: each (seed, customer, purpose, branch, number) has one number, whenever it is drawn.

They come from Philox4x64-10, a counter-based generator: the key is (seed, customer), the counter (block, purpose,
branch, 0), and four numbers stand in a block. So a customer's lifetime is the same whatever other customers there are,
and in whatever order and chunks they are drawn. Source: Salmon, Moraes, Dror and Shaw (2011), "Parallel Random
Numbers: As Easy as 1, 2, 3", SC11. The words are those of `numpy.random.Philox`, which tests compare them with.
"""

import numpy as np
from numba import njit

from features.arrays import Floats, Integers

ROUNDS = 10
HALF, LOW = np.uint64(32), np.uint64(0xFFFFFFFF)
FACTORS = np.uint64(0xD2E7470EE14C6C93), np.uint64(0xCA5A826395121157)
STEPS = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBB67AE8584CAA73B)
FIRST_FACTOR, SECOND_FACTOR = FACTORS
FIRST_STEP, SECOND_STEP = STEPS
SPARE = np.uint64(12)
"""Low bits not used, so that a number plus one half of its last digit is exact."""


@njit(cache=True)
def _upper(a: np.uint64, b: np.uint64) -> np.uint64:
    """The upper 64 bits of the 128 of a product."""
    a_low, a_high, b_low, b_high = a & LOW, a >> HALF, b & LOW, b >> HALF
    middle = a_high * b_low + (a_low * b_low >> HALF)
    other = a_low * b_high + (middle & LOW)
    return a_high * b_high + (middle >> HALF) + (other >> HALF)


@njit(cache=True)
def word(seed: int, customer: int, purpose: int, branch: int, number: int) -> np.uint64:
    """64 random bits; all arguments are 0 or more."""
    key, other_key = np.uint64(seed), np.uint64(customer)
    c0, c1, c2, c3 = np.uint64(number // 4 + 1), np.uint64(purpose), np.uint64(branch), np.uint64(0)
    for _ in range(ROUNDS):
        low, high = FIRST_FACTOR * c0, _upper(FIRST_FACTOR, c0)
        other_low, other_high = SECOND_FACTOR * c2, _upper(SECOND_FACTOR, c2)
        c0, c1, c2, c3 = other_high ^ c1 ^ key, other_low, high ^ c3 ^ other_key, low
        key, other_key = key + FIRST_STEP, other_key + SECOND_STEP
    place = number % 4
    return c0 if place == 0 else c1 if place == 1 else c2 if place == 2 else c3


@njit(cache=True)
def uniform(seed: int, customer: int, purpose: int, branch: int, number: int) -> float:
    """A number above 0 and below 1, uniform."""
    return (np.float64(word(seed, customer, purpose, branch, number) >> SPARE) + 0.5) / 4503599627370496.0


@njit(cache=True, nogil=True)
def _uniforms(seed: int, customer: Integers, purpose: int, branch: Integers, number: Integers) -> Floats:
    drawn = np.empty(len(customer))
    for row in range(len(customer)):
        drawn[row] = uniform(seed, customer[row], purpose, branch[row], number[row])
    return drawn


def uniforms(
    seed: int, customer: Integers, purpose: int, *, branch: Integers | int = 0, number: Integers | int = 0
) -> Floats:
    """Numbers of `uniform`, one for each row."""
    branches, numbers = (np.broadcast_to(np.asarray(part, np.int64), customer.shape) for part in (branch, number))
    return _uniforms(seed, customer, purpose, np.ascontiguousarray(branches), np.ascontiguousarray(numbers))
