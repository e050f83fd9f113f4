"""How far the members of a committee disagree, asked in blocks so that any pool fits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hilt.distributions import NO_LABEL, clear_label
from hilt.errors import DataError
from hilt.types import Floats, Integers, SelectionView

BLOCK = 4096  # items that every member is asked about at one time

Committee = Callable[[Integers], Floats]


def committee_of(view: SelectionView) -> Committee:
    """Give the committee of a view.

    Raises:
        DataError: If there is none.
    """
    if view.committee is None:
        raise DataError(
            "There is no committee, which this selector needs because it picks the items on which"
            " one disagrees; configure at least two proposers, or use another selector, such"
            " as `margin`."
        )
    return view.committee


def scored_by(committee: Committee, indices: Integers, score: Callable[[Floats], Floats]) -> Floats:
    """Score items by what the committee says of them.

    Args:
        committee: Gives answers of shape (n_members, m, n_labels) for m indices.
        indices: Shape (n,), which items.
        score: Gives one score an item for such answers.

    Returns:
        Shape (n,), float32.

    Raises:
        DataError: If the committee has fewer than two members.
    """
    scores = np.zeros(len(indices), dtype=np.float32)
    for start in range(0, len(indices), BLOCK):
        where = slice(start, start + BLOCK)
        answers = np.asarray(committee(indices[where]), dtype=np.float32)
        if len(answers) < 2:
            raise DataError(
                f"A committee of {len(answers)} cannot disagree; add a proposer, or use another"
                " selector, such as `margin`."
            )
        scores[where] = score(answers)
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
