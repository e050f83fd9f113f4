"""Rows of probabilities: what they say, and how several are combined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hilt.blocks import blocks
from hilt.errors import ExtensionError
from hilt.types import Floats, Integers

# Two probabilities that are this close, relative to the larger, are equal: arrays keep float16,
# whose neighbouring values are up to 0.00098 apart.
TIE = 1e-3
NO_LABEL = -1
FLOOR = 1e-6  # of a probability whose logarithm is taken
SMALLEST_MEAN = 1e-7  # proposals are kept as float16, to which anything smaller is 0
CALIBRATED_ROWS = 8192  # of a memory-mapped array, that are cast at a time
OFF = 0.01  # how far a sum may be from 1: rows in float16 are off by less


def clear_label(probabilities: Floats) -> Integers:
    """Find the label that is likelier than every other one.

    To take the first of equal ones would let the order of the labels decide.

    Args:
        probabilities: Shape (..., n_labels), not negative; a NaN row is an abstention.

    Returns:
        Shape (...,): positions of labels, -1 where the likeliest are equal, or nothing is said.

    >>> clear_label(np.array([[0.2, 0.8], [0.5, 0.5], [np.nan, np.nan]])).tolist()
    [1, -1, -1]
    """
    rows = np.asarray(probabilities, dtype=np.float64)
    if rows.shape[-1] == 1:
        return np.where(np.isnan(rows[..., 0]), NO_LABEL, 0)
    highest = np.partition(rows, -2, axis=-1)[..., -2:]  # NaN goes last, and compares as false
    clear = highest[..., 0] < highest[..., 1] * (1 - TIE)
    return np.where(clear, np.nan_to_num(rows).argmax(axis=-1), NO_LABEL)


def log_of(probabilities: Floats) -> Floats:
    """Take logarithms in float32, with a floor that keeps a zero from deciding alone.

    A row of NaN, an abstention, becomes the floor throughout, which leans to no label.
    """
    return np.log(np.fmax(probabilities, FLOOR, dtype=np.float32))


def softmax(logits: Floats) -> Floats:
    """Turn logits, shape (n, n_labels), into rows that sum to 1."""
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True), dtype=np.float32)


def negative_log_likelihood(probabilities: Floats, positions: Integers) -> Floats:
    """Score predictions item by item, shape (n,); lower is better."""
    return -log_of(probabilities[np.arange(len(positions)), positions])


def pool_logarithmically(distributions: Sequence[Floats], weights: Floats) -> Floats:
    """Combine distributions as a weighted product, renormalised.

    Args:
        distributions: Each of shape (n, n_labels), rows sum to 1 or are NaN to abstain.
        weights: Shape (n_distributions,), not negative; 0 ignores a distribution.

    Returns:
        Shape (n, n_labels), float32, rows sum to 1.

    Source: Genest and Zidek 1986, the logarithmic opinion pool.
    """
    total = np.zeros(distributions[0].shape, dtype=np.float32)
    for distribution, weight in zip(distributions, weights, strict=True):
        if weight:
            total += np.float32(weight) * log_of(distribution)
    return softmax(total)


def batch_calibrate(probabilities: Floats, mean: Floats) -> Floats:
    """Take out how much the pool as a whole leans towards each label.

    Args:
        probabilities: Shape (n, n_labels), rows sum to 1; may be float16 or memory-mapped.
        mean: Shape (n_labels,), the mean of the probabilities over the whole pool.

    Returns:
        Shape (n, n_labels), float32, rows sum to 1: log p(y|x) - log mean p(y), renormalised.

    Source: Zhou et al. 2023, Batch Calibration (arXiv 2309.17249), section 3.
    """
    lean = np.log(np.maximum(np.asarray(mean, dtype=np.float32), SMALLEST_MEAN))  # (n_labels,)
    calibrated = np.empty(probabilities.shape, dtype=np.float32)
    for block in blocks(len(probabilities), CALIBRATED_ROWS):
        rows = np.asarray(probabilities[block], dtype=np.float32)
        with np.errstate(divide="ignore"):  # log 0 is -inf, whose probability is 0 again
            calibrated[block] = softmax(np.log(rows) - lean)
    return calibrated


def number_array(value: Any, shape: tuple[int, ...], who: str) -> Floats:  # noqa: ANN401 - anything
    """Make an array of what should be one of numbers, of a given shape.

    Args:
        value: What was given: an array, or lists.
        shape: What it must be.
        who: Who gave it, for messages.

    Raises:
        ExtensionError: If it is something else.
    """
    try:
        array = np.asarray(value)
    except Exception:  # lists of different lengths, or whatever its __array__ does
        array = np.asarray(None)
    if array.dtype.kind not in "fiub":
        given = "None" if value is None else f"a {type(value).__name__}"
        if isinstance(value, np.ndarray):
            given = f"an array of {array.dtype.name}"
        raise ExtensionError(
            f"{who} returned {given}; it must return numbers, an array of shape {shape}."
        )
    if array.shape != shape:
        raise ExtensionError(
            f"{who} returned an array of shape {array.shape}; the shape must be {shape}."
        )
    return array


def checked_distributions(
    value: Any,  # noqa: ANN401 - anything may have been given
    ids: Sequence[str],
    n_labels: int,
    who: str,
    *,
    may_abstain: bool = True,
) -> Floats:
    """Make sure that what was given for items is a distribution over the labels for each.

    Args:
        value: What should have the shape (n, n_labels).
        ids: Of the n items.
        n_labels: How many labels there are.
        who: Who gave it, for messages.
        may_abstain: Whether a row may be NaN throughout.

    Returns:
        Shape (n, n_labels), float32; rows sum to 1, or are NaN throughout.

    Raises:
        ExtensionError: If it is anything else.
    """
    array = number_array(value, (len(ids), n_labels), who)
    with np.errstate(over="ignore", invalid="ignore"):
        rows: Floats = array.astype(np.float32)
        sums = rows.sum(axis=1, dtype=np.float64)
        fits = (abs(sums - 1) <= OFF) & (rows >= -OFF).all(axis=1)
    if may_abstain:
        fits |= np.isnan(rows).all(axis=1)
    if not fits.all():
        place = int(np.flatnonzero(~fits)[0])
        raise ExtensionError(
            f"{who} returned numbers that are not probabilities for {int((~fits).sum())}"
            f" of {len(ids)} items: those for item {ids[place]!r} {_trouble(rows[place])}."
            " They must be at least 0 and sum to 1 (a softmax turns scores into"
            " probabilities)" + (", or all be NaN to abstain." if may_abstain else ".")
        )
    return np.maximum(rows, 0, out=rows)


def _trouble(row: Floats) -> str:
    if np.isnan(row).any():
        return f"are NaN in {int(np.isnan(row).sum())} of {len(row)} places"
    if not np.isfinite(row).all():
        return "are not all finite"
    if (row < -OFF).any():
        return f"go down to {row.min():g}, which is negative"
    return f"sum to {row.sum(dtype=np.float64):g}"
