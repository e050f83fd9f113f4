"""Uncertainty where the pool is dense."""

from __future__ import annotations

import numpy as np

from hilt.selectors.arithmetic.neighbours import build_graph
from hilt.selectors.arithmetic.ranking import best_first
from hilt.selectors.base import how_many
from hilt.types import Floats, Graph, Integers, Selection, SelectionView

BLOCK = 65_536  # items whose neighbours are read at one time


class Density:
    """The candidates that are uncertain and have near neighbours; outliers come last.

    The score is the margin uncertainty times the mean cosine to the nearest neighbours in the
    pool, labelled ones included; the reason is "uncertain". Neighbours come from the graph of the
    view. Where it was not made, it is made for this selection, which takes minutes at a million
    items, and where it is narrower than `neighbours`, all that it has are used.

    The picked set does not depend on the order of the pool wherever scores are distinct; chance
    decides among equal ones.

    Source: Zhu et al. 2008 (Sampling by uncertainty and density), with margin for entropy;
    Settles and Craven 2008 for density over the whole pool.
    O(n_candidates * (n_labels + neighbours)) time, with the graph.

    Args:
        neighbours: Over how many the cosine is averaged.
        power: To which the mean cosine is raised; 0 is margin alone.
    """

    def __init__(self, neighbours: int = 10, power: float = 1.0) -> None:
        self.neighbours = neighbours
        self.power = power

    def select(self, view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
        """Pick up to k candidates, highest product first."""
        k = how_many(view, k)
        scores = view.doubt("margin", view.candidates)
        graph = view.graph or build_graph(view.embeddings, self.neighbours, rng)
        alone = graph.neighbours[view.candidates, 0] < 0  # copies, for which another stands
        indices = np.where(alone, view.groups[view.candidates], view.candidates)
        scores *= density(graph, indices, self.neighbours) ** self.power
        return best_first(view, scores, k, "uncertain", rng)


def density(graph: Graph, indices: Integers, neighbours: int) -> Floats:
    """Average the cosines of items to their nearest neighbours.

    Args:
        graph: The nearest neighbours of every item.
        indices: Shape (m,), which items.
        neighbours: Over how many; fewer where an item has fewer.

    Returns:
        Shape (m,), float32, in [0, 1]; 0 where there is no neighbour, or the mean is negative.
    """
    means = np.empty(len(indices), dtype=np.float32)
    for start in range(0, len(indices), BLOCK):
        block = indices[start : start + BLOCK]
        found = graph.neighbours[block, :neighbours] >= 0
        cosines = np.where(found, graph.cosines[block, :neighbours], 0)
        means[start : start + BLOCK] = cosines.sum(axis=1) / np.maximum(found.sum(axis=1), 1)
    return np.clip(means, 0, 1)
