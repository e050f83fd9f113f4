"""A selector of the user's own, as the rest of hilt calls it: what it picks is checked first."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np

from hilt.distributions import number_array
from hilt.errors import ExtensionError
from hilt.own_code import blamed_on, shortened
from hilt.types import Integers, Reason, Selection, SelectionView

if TYPE_CHECKING:
    from hilt.selectors.base import Selector

# What an item of the audit, of a check or of a recheck is called; no selector picks those.
RESERVED = ("audit", "inherited", "recheck")
REASONS = tuple(reason for reason in get_args(Reason) if reason not in RESERVED)


class GuardedSelector:
    """A selector whose every pick is checked, and that is named when it fails."""

    def __init__(self, selector: Selector, who: str) -> None:
        self.selector = selector
        self.who = who

    def select(self, view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
        """Pick up to k candidates, as `Selector` says.

        Raises:
            ExtensionError: If it fails, or picks what it must not.
        """
        candidates = view.candidates.copy()
        with blamed_on(self.who):
            picked = self.selector.select(view, k, rng)
        if not isinstance(picked, Selection):
            raise ExtensionError(
                f"{self.who} returned a {type(picked).__name__}; it must return a"
                " hilt.types.Selection."
            )
        indices = self._indices(picked, k, candidates)
        scores = number_array(picked.scores, (len(indices),), f"{self.who}: its scores")
        if not np.isfinite(scores).all():
            raise ExtensionError(f"{self.who}: a score is NaN or infinite; it must be in [0, 1].")
        with blamed_on(f"{self.who}: its note"):
            note = shortened(str(picked.note)).encode("utf-8", "replace").decode()
        return Selection(indices, scores, self._reasons(picked, len(indices)), note)

    def _indices(self, picked: Selection, k: int, candidates: Integers) -> Integers:
        indices = np.asarray(picked.indices)
        if indices.ndim != 1 or (len(indices) and indices.dtype.kind not in "iu"):
            raise ExtensionError(
                f"{self.who}: its indices are an array of {indices.dtype.name} of shape"
                f" {indices.shape}; they must be whole numbers in one row."
            )
        if len(indices) > k:
            raise ExtensionError(
                f"{self.who} picked {len(indices)} items, but at most {k} were asked for."
            )
        strange = indices[~np.isin(indices, candidates)]
        if len(strange):
            raise ExtensionError(
                f"{self.who} picked {strange[0]}, which is not one of the {len(candidates)}"
                " indices in view.candidates; it may only pick those."
            )
        values, counts = np.unique(indices, return_counts=True)
        if len(values) < len(indices):
            raise ExtensionError(
                f"{self.who} picked {values[counts > 1][0]} more than once; each index may occur"
                " once."
            )
        return indices.astype(np.int64)

    def _reasons(self, picked: Selection, count: int) -> tuple[Reason, ...]:
        with blamed_on(f"{self.who}: its reasons"):
            reasons = tuple(picked.reasons)
        strange = [reason for reason in reasons if reason not in REASONS]
        if strange or len(reasons) != count:
            given = (
                shortened(repr(strange[0]), 60) if strange else f"{len(reasons)} for {count} items"
            )
            raise ExtensionError(
                f"{self.who}: its reasons are {given}; there must be one for each item, of"
                f" {', '.join(REASONS)}."
            )
        return reasons
