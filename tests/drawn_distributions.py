"""Distributions over labels as tests draw them."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hilt.distributions import log_of, softmax
from hilt.types import Floats, Integers

logits = arrays.arrays(
    np.float32, st.tuples(st.integers(1, 8), st.just(3)), elements=st.floats(-500, 500, width=32)
)


@st.composite
def distributions(draw: st.DrawFn) -> Floats:
    shape = draw(st.tuples(st.integers(1, 20), st.integers(2, 8)))
    weights = draw(arrays.arrays(np.float32, shape, elements=st.floats(0.0009765625, 1, width=32)))
    rows: Floats = weights / weights.sum(axis=1, keepdims=True)
    return rows


def sample(n: int, sharpness: float, seed: int = 0) -> tuple[Floats, Integers]:
    """Draw distributions over three labels, and labels that follow them exactly."""
    rng = np.random.default_rng(seed)
    probabilities = softmax(sharpness * rng.normal(size=(n, 3)))
    return probabilities, (probabilities.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(0, 2)


def sharpen(probabilities: Floats, factor: float) -> Floats:
    return softmax(np.float32(factor) * log_of(probabilities))
