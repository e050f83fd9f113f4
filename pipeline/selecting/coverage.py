"""How much of the pool an item stands for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hilt.selectors.arithmetic.neighbours import nearest_among
from hilt.types import Floats, Integers

WHOLE = 200_000  # items up to which all are counted, unless very many are labelled
PAIRS = 50_000_000  # of items that are compared at most: a second on two processors
MIN_SAMPLE = 5000
DENSITY_SAMPLE = 5000  # items among which neighbours are looked for, to say what is typical
DENSITY_NEIGHBOURS = 10
COMPARED = 500  # items with which typicality is compared
RADIUS_ITEMS = 4000  # labelled items that give the radius
MIN_RADIUS = 0.2  # near-duplicates among the labelled would shrink it to nothing


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many items of the pool each asked item stands for.

    Attributes:
        items: Shape (n_asked,), counts.
        sampled: How many items were looked at, where that was not the whole pool; the counts are
            scaled up. None otherwise.
    """

    items: Integers
    sampled: int | None


def covering_radius(embeddings: Floats, labelled: Integers) -> float:
    """Say how far an item stands for others: it shrinks as labels come in.

    Args:
        embeddings: Shape (n_items, d).
        labelled: Shape (n_labelled,), indices.

    Returns:
        The median distance from a labelled item to the nearest other one; 1 for fewer than two.
    """
    some = labelled[:: len(labelled) // RADIUS_ITEMS + 1]
    if len(some) < 2:
        return 1.0
    _, cosines = nearest_among(embeddings, some, some, 2)
    distances = np.sqrt(np.maximum(2 - 2 * cosines[:, 1], 0))
    return max(float(np.median(distances)), MIN_RADIUS)


def coverage(
    embeddings: Floats, asked: Integers, labelled: Integers, rng: np.random.Generator
) -> Coverage:
    """Count the items that each asked one stands for.

    Those are the items that are nearer to it than to any other asked or labelled one, and not
    farther than `covering_radius`. A pool beyond 200,000 items, or one with very many labels, is
    sampled.

    Args:
        embeddings: Shape (n_items, d), unit rows; may be memory-mapped.
        asked: Shape (n_asked,), at least one.
        labelled: Shape (n_labelled,).
        rng: Draws the sample.
    """
    n_items, known = len(embeddings), np.append(asked, np.setdiff1d(labelled, asked))
    size = min(n_items, WHOLE, max(MIN_SAMPLE, PAIRS // len(known)))
    sample = _sample(n_items, size, rng)
    places, cosines = nearest_among(embeddings, sample, known, 1)
    inside = cosines[:, 0] >= 1 - covering_radius(embeddings, labelled) ** 2 / 2
    counts = np.bincount(places[inside, 0], minlength=len(known))[: len(asked)]
    scaled = np.rint(counts * (n_items / size)).astype(np.int64)
    return Coverage(np.maximum(scaled, 1), None if size == n_items else size)


def typicality(embeddings: Floats, indices: Integers, rng: np.random.Generator) -> Floats:
    """Say of which share of the pool the surroundings are sparser than an item's.

    Args:
        embeddings: Shape (n_items, d), unit rows; may be memory-mapped.
        indices: Shape (m,), for which items.
        rng: Draws the items that are compared, and those among which neighbours are looked for.

    Returns:
        Shape (m,), in [0, 1]; near 1 is typical, near 0 an outlier.

    Source: Hacohen et al. 2022 (TypiClust), section 3.2, for density as typicality.
    """
    among = _sample(len(embeddings), DENSITY_SAMPLE, rng)
    others = rng.choice(among, min(COMPARED, len(among)), replace=False)
    densities = [_density(embeddings, each, among) for each in (indices, others)]
    return np.asarray((densities[0][:, None] > densities[1]).mean(axis=1))


def _density(embeddings: Floats, indices: Integers, among: Integers) -> Floats:
    """Average the cosines to the nearest of the other items."""
    places, cosines = nearest_among(embeddings, indices, among, DENSITY_NEIGHBOURS + 1)
    itself = among[places] == indices[:, None]
    itself[~itself.any(axis=1), -1] = True
    return np.asarray(np.where(itself, 0, cosines).sum(axis=1) / max(cosines.shape[1] - 1, 1))


def _sample(n_items: int, size: int, rng: np.random.Generator) -> Integers:
    if n_items <= size:
        return np.arange(n_items)
    return np.sort(rng.choice(n_items, size, replace=False))
