"""Random numbers and curves that are functions of their position, so that no state has to be kept."""

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MASK_64 = 2**64 - 1
# SplitMix64, https://prng.di.unimi.it/splitmix64.c: a counter-based generator, so any position costs the same.
GOLDEN_GAMMA = np.uint64(0x9E3779B97F4A7C15)
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)


def key_of(*parts: object) -> int:
    """A 64-bit key made of names; the same on every machine and in every run, unlike `hash`."""
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def fraction_of(*parts: object) -> float:
    """A number in [0, 1) made of names."""
    return key_of(*parts) / 2**64


def uniform(key: int, position: Integers) -> Floats:
    """Independent numbers in [0, 1), one for each integer position, of the same shape."""
    mixed = position.astype(np.uint64) * GOLDEN_GAMMA + np.uint64(key & MASK_64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * MIX_1
    mixed = (mixed ^ (mixed >> np.uint64(27))) * MIX_2
    mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53


def wander(key: int, t: Floats, period_s: float) -> Floats:
    """A smooth random curve in [-1, 1] that takes a new direction every `period_s` seconds (value noise)."""
    position = t / period_s
    before = np.floor(position)
    lattice = before.astype(np.int64)
    x = position - before
    left, right = uniform(key, lattice), uniform(key, lattice + 1)
    return 2.0 * (left + (right - left) * x * x * (3.0 - 2.0 * x)) - 1.0
