"""What is left to ask about."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from hilt.pipeline.duplicates.inheriting import inherit, settled_groups, to_check
from hilt.pipeline.selecting.auditing import audit_draw, audit_size
from hilt.pipeline.workspace.item_draws import draw
from hilt.pipeline.workspace.labels import ItemLabel
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import Integers


def is_anything_left(workspace: Workspace, waiting: Collection[int] = ()) -> bool:
    """Tell whether `compose` would find anything to ask about; no model is loaded for that.

    Args:
        workspace: Where proposals stand.
        waiting: Items that people are given already.
    """
    config, outcomes = workspace.config, workspace.item_labels()
    if undecided_items(workspace, outcomes, waiting).any():
        return True
    numbers = workspace.audit_order.numbers
    audit = audit_draw(workspace, numbers, outcomes, waiting)
    if audit_size(workspace, config.batch.size) and audit.reach():
        return True
    checks = items_to_check(workspace, settled_groups(workspace, outcomes), outcomes)
    checks = checks[~np.isin(checks, [*waiting])]
    return bool((numbers[checks] >= config.batch.audit).any())


def undecided_items(
    workspace: Workspace, outcomes: Sequence[ItemLabel], waiting: Collection[int]
) -> npt.NDArray[np.bool_]:
    """Say of which items with a text no near-duplicate is decided or waiting for people.

    Returns:
        Shape (n_items,).
    """
    asked = [*(outcome.index for outcome in outcomes), *waiting]
    groups = settled_groups(workspace, outcomes)
    free = ~np.isin(groups, groups[asked])
    free[workspace.pool.empty] = False
    return free


def items_to_check(
    workspace: Workspace, groups: Integers, outcomes: Sequence[ItemLabel]
) -> Integers:
    """List the items that inherit a label and were drawn to be asked all the same."""
    inherited, config = inherit(groups, outcomes), workspace.config
    drawn = draw(workspace.pool.ids(inherited.indices), config.seed, "check")
    return to_check(inherited, drawn, config.duplicates.audited)
