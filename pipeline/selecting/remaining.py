"""What is left to ask about."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt

from hilt.pipeline.duplicates.inheriting import carrying, inherit, settled_groups, to_check
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.selecting.auditing import audit_draw, audit_size
from hilt.pipeline.workspace.item_draws import draw
from hilt.types import Integers


def is_anything_left(state: LoopState, waiting: Collection[int] = ()) -> bool:
    """Tell whether `compose` would find anything to ask about; no model is loaded for that.

    Args:
        state: As it is.
        waiting: Items that people are given already.
    """
    config, labels = state.files.config, state.item_labels
    if undecided_items(state, waiting).any():
        return True
    if audit_size(state, config.batch.size) and audit_draw(state, waiting).reach():
        return True
    checks = items_to_check(state, settled_groups(state.files, labels))
    checks = checks[~np.isin(checks, [*waiting])]
    return bool((state.audit_order.numbers[checks] >= config.batch.audit).any())


def undecided_items(state: LoopState, waiting: Collection[int]) -> npt.NDArray[np.bool_]:
    """Say of which items with a text no near-duplicate is decided or waiting for people.

    Returns:
        Shape (n_items,).
    """
    asked = [*(each.index for each in state.item_labels), *waiting]
    groups = settled_groups(state.files, state.item_labels)
    free = ~np.isin(groups, groups[asked])
    free[state.files.pool.empty] = False
    return free


def items_to_check(state: LoopState, groups: Integers) -> Integers:
    """List the items that inherit a label and were drawn to be asked all the same."""
    carry, config = carrying(state.files), state.files.config
    inherited = inherit(groups, state.item_labels, carry)
    drawn = draw(state.files.pool.ids(inherited.indices), config.seed, "check")
    return to_check(inherited, drawn, config.duplicates.audited)
