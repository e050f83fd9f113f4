"""How far the members of a committee disagree, asked in blocks so that any pool fits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hilt.blocks import blocks
from hilt.distributions import NO_LABEL, clear_label
from hilt.errors import DataError
from hilt.types import Floats, SelectionView

BLOCK = 4096  # items that every member is asked about at one time


def scored_by_committee(view: SelectionView, score: Callable[[Floats], Floats]) -> Floats:
    """Score the candidates of a view by what its committee says of them.

    Args:
        view: The pool as it stands.
        score: Gives one score a row for answers of shape (n_members, n_rows, n_columns), whose
            rows sum to 1, or are NaN where a member abstains. An item has the mean of its rows.

    Returns:
        Shape (n_candidates,), float32.

    Raises:
        DataError: If there is no committee, or one of a single member.
    """
    if view.committee is None:
        raise DataError(
            "There is no committee, which this selector needs because it picks the items on which"
            " one disagrees; configure at least two proposers, or use another selector, such"
            " as `margin`."
        )
    scores = np.zeros(len(view.candidates), dtype=np.float32)
    for block in blocks(len(scores), BLOCK):
        answers = [view.task.rows.units(each) for each in view.committee(view.candidates[block])]
        if len(answers) < 2:
            raise DataError(
                f"A committee of {len(answers)} cannot disagree; add a proposer, or use another"
                " selector, such as `margin`."
            )
        stacked = np.stack([each.values for each in answers]).astype(np.float32)
        scores[block] = answers[0].means(score(stacked))
    return scores


def vote_entropy(answers: Floats) -> Floats:
    """Score items by the entropy of the members' votes, as a share of the highest possible.

    Args:
        answers: Shape (n_members, n_items, n_labels), at least two members; a member whose row
            holds NaN, or whose likeliest labels are equal, abstains. The others vote for their
            likeliest label.

    Returns:
        Shape (n_items,), float32 in [0, 1]; 0 where fewer than two vote.

    Source: Dagan and Engelson 1995.
    """
    n_members, n_items, n_labels = answers.shape
    shares = np.zeros((n_items, n_labels), dtype=np.float32)
    every = np.arange(n_items)
    for rows in answers:
        voted = clear_label(rows)
        votes = voted != NO_LABEL
        shares[every[votes], voted[votes]] += 1
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1)
    return _clipped(-_x_log_x(shares).sum(axis=1), n_members, n_labels)


def disagreement(answers: Floats) -> Floats:
    """Score items by how far members are from their consensus, as a share of the farthest possible.

    The consensus is the mean of the members' distributions, and the score the mean
    Kullback-Leibler divergence from it: the same number as the Jensen-Shannon divergence of the
    members, and as the mutual information of an item's label and the member that is asked.

    Args:
        answers: Shape (n_members, n_items, n_labels), rows sum to 1, at least two members; a
            member whose row holds NaN abstains.

    Returns:
        Shape (n_items,), float32 in [0, 1]; 0 where fewer than two answer.

    Source: McCallum and Nigam 1998; Houlsby et al. 2011 for the mutual information.
    """
    n_members, n_items, n_labels = answers.shape
    total = np.zeros((n_items, n_labels), dtype=np.float32)
    negative_entropies = np.zeros(n_items, dtype=np.float32)
    n_answers = np.zeros(n_items, dtype=np.float32)
    for rows in answers:
        given = ~np.isnan(rows).any(axis=1)
        total[given] += rows[given]
        negative_entropies[given] += _x_log_x(rows[given]).sum(axis=1)
        n_answers += given
    n_answers = np.maximum(n_answers, 1)
    entropy_of_mean = -_x_log_x(total / n_answers[:, None]).sum(axis=1)
    return _clipped(entropy_of_mean + negative_entropies / n_answers, n_members, n_labels)


def _x_log_x(values: Floats) -> Floats:
    logarithms = np.log(values, out=np.zeros_like(values), where=values > 0)  # 0 log 0 is 0
    return values * logarithms


def _clipped(scores: Floats, n_members: int, n_labels: int) -> Floats:
    shares: Floats = np.clip(scores / np.log(np.float32(min(n_members, n_labels))), 0, 1)
    return shares
