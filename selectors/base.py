"""The seam of this folder: what picks the items that people should see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from hilt.errors import DataError
from hilt.registry import Registry
from hilt.selectors.guarded import GuardedSelector
from hilt.tasks.base import Task
from hilt.types import Selection, SelectionView


class Selector(Protocol):
    """Picks k indices from the pool.

    It may say in an attribute `tasks` which tasks it serves; without, it serves all: `view.doubt`
    and `view.strata` speak of any answer. Rows of its own kind, as `view.proposal` has them, only
    the tasks that it names are known to have.
    """

    def select(self, view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
        """Pick up to k candidates, no two of them alike.

        Args:
            view: The pool as it stands.
            k: How many to pick, at least 1.
            rng: The only source of chance.

        Returns:
            k distinct candidates, best first; fewer only when no more are left that are not
            near-duplicates of those picked or taken.
        """
        ...


def how_many(view: SelectionView, k: int) -> int:
    """Return how many items can be picked when k are asked for.

    Raises:
        DataError: If k is below 1.
    """
    if k < 1:
        raise DataError(f"k is {k} but a batch needs at least 1 item; raise k.")
    return min(k, len(view.candidates))


def make_selector(section: Mapping[str, Any], task: Task | None = None) -> Selector:
    """Make the selector that a section of a configuration describes.

    Args:
        section: `kind`, and what that class is given; or, for a class of your own, `kind` and
            `settings`. Under `of`, a section of its own for the selector inside a wrapper.
        task: What it must serve; any when None.

    Raises:
        ConfigError: If it does not serve the task.
        ExtensionError: If it is a class of the user's own that cannot be built.
        UnknownNameError: If a kind is not registered.

    Example:
        >>> section = {"kind": "balanced", "of": {"kind": "hybrid", "shortlist": 5}}
        >>> make_selector(section).of.shortlist
        5
    """
    settings = {name: value for name, value in section.items() if name != "kind"}
    settings = settings.get("settings", settings)
    if isinstance(settings.get("of"), Mapping):
        settings = {**settings, "of": make_selector(settings["of"], task)}
    kind = section["kind"]
    who = f"Selector {kind!r}"
    if task is not None:
        SELECTORS.check_serves(kind, who, tasks=task.layout)
    made: Selector = SELECTORS.make(kind, who, settings)
    return GuardedSelector(made, who) if SELECTORS.is_own(kind) else made


SELECTORS = Registry(
    "selector",
    {
        "auto": "hilt.selectors.auto:Auto",
        "badge": "hilt.selectors.badge:Badge",
        "balanced": "hilt.selectors.balanced:Balanced",
        "bald": "hilt.selectors.bald:Bald",
        "contrastive": "hilt.selectors.contrastive:Contrastive",
        "density": "hilt.selectors.density:Density",
        "disagreement": "hilt.selectors.disagreement:Disagreement",
        "dropquery": "hilt.selectors.dropquery:DropQuery",
        "entropy": "hilt.selectors.margin:Entropy",
        "herding": "hilt.selectors.herding:Herding",
        "hybrid": "hilt.selectors.hybrid:Hybrid",
        "k_center": "hilt.selectors.k_center:KCenter",
        "kmeans": "hilt.selectors.kmeans:KMeans",
        "least_confident": "hilt.selectors.margin:LeastConfident",
        "margin": "hilt.selectors.margin:Margin",
        "max_herding": "hilt.selectors.max_herding:MaxHerding",
        "per_second": "hilt.selectors.per_second:PerSecond",
        "probcover": "hilt.selectors.probcover:ProbCover",
        "random": "hilt.selectors.uniform:Uniform",
        "subsample": "hilt.selectors.subsample:Subsample",
        "typiclust": "hilt.selectors.typiclust:TypiClust",
        "vote_entropy": "hilt.selectors.disagreement:VoteEntropy",
    },
    methods=("select",),
)
