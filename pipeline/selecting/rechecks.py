"""Asking again: labels of people that may be wrong, on one scale with items that have none.

The scale is the probability that the label which an item has is wrong: of a labelled item the one
that people gave, of a new one the likeliest of the fused proposal. The next reviewer is equally
likely to be right about both, so that probability is the expected gain, up to a constant.
Therefore a recheck takes the place of a new item only where its label is likelier to be wrong (per
second, where it is known what items take); and where people err rarely, nothing is asked again.

Source: Goh and Mueller 2023 (ActiveLab) for one scale; Northcutt et al. 2021 (confident learning)
for out-of-fold self-confidence. Their thresholds by label are left out: on TREC, AG News and others
they found fewer of the wrong labels, for the probabilities here are calibrated already.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from hilt.distributions import log_of, softmax
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.committee import Committee
from hilt.pipeline.proposing.propose import fusion_weights
from hilt.pipeline.students.saved import OutOfFold, load_out_of_fold
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.labels import SETTLING, ItemLabel
from hilt.pipeline.workspace.tables import BatchItemRow, DecisionRow
from hilt.rows import Rows
from hilt.types import Floats, Integers, Reason, Selection, SelectionView, Value

PEOPLE_ARE_RIGHT = 0.8  # how often, as far as one label alone speaks against the students
PRIOR_RECHECKS = 5.0  # how many rechecks the belief is worth that it is so


@dataclass(frozen=True, slots=True)
class Suspects:
    """Labels of people that students which did not learn them would not have given.

    Attributes:
        indices: Shape (n,), the items, the most doubtful first.
        right: Shape (n,), how likely each label is to be right, as far as students can say.
        proposal: What those students and the proposers say.
        trust: How often earlier rechecks changed a label, relative to what was expected.
    """

    indices: Integers
    right: Floats
    proposal: Rows
    trust: float = 1.0

    def __len__(self) -> int:
        return len(self.indices)

    def replacing(self, proposal: Rows, indices: Integers) -> Rows:
        """Give what is proposed for some items, by students that did not learn their labels.

        The student in use has learnt the labels that are in doubt, and would only repeat them.

        Args:
            proposal: What is proposed otherwise.
            indices: Shape (m,), for which items.
        """
        _, ours, theirs = np.intersect1d(self.indices, indices, return_indices=True)
        replaced = proposal.values.copy()
        if len(ours):
            replaced[proposal.places(theirs)] = self.proposal.take(ours).values
        return Rows(replaced, proposal.offsets)

    @property
    def wrong(self) -> Floats:
        """How likely each label is to be wrong: shape (n,), in [0, 1]."""
        return np.asarray(np.minimum(1, (1 - self.right) * self.trust))


NO_DOUBTS = Suspects(np.empty(0, dtype=np.int64), np.empty(0), Rows(np.empty((0, 0))))


def find_doubts(state: LoopState, labels: Sequence[ItemLabel], committee: Committee) -> Suspects:
    """Look for wrong labels among those that the latest student learnt.

    Labels that were given blind are left alone: a measure must not depend on what it measures. So
    are labels that are known, adjudicated or were asked about again before, that have changed
    since, or that the students would give too.

    Args:
        state: Has the decisions, and the latest training.
        labels: What may be asked again.
        committee: Everyone who proposes.
    """
    training = state.training
    if training is None:
        return NO_DOUBTS
    saved = load_out_of_fold(state.files.student_folder(training.cycle))
    if saved is None:
        return NO_DOUBTS
    people = [row for row in state.standing_decisions if row.kind != "machine"]
    answered = asked_again(state.batch_items, people)
    settled = {row.item_index for row in people if row.kind in SETTLING}
    settled |= answered.keys()
    files, math = state.files, state.files.task.rows
    saved = _unchanged(files, saved, [each for each in labels if each.index not in settled])
    weights = fusion_weights(committee.panel, training)
    fused = math.pool([saved.said, *committee.panel.rows(saved.indices)], weights)
    units, true = math.units(fused), math.units(saved.targets).values.argmax(axis=1)
    votes = math.units(_votes(files, people, saved))
    posterior = label_posterior(units.values, votes.values, PEOPLE_ARE_RIGHT)
    right = units.products(posterior[np.arange(len(true)), true])
    in_doubt = np.flatnonzero(units.sums(units.values.argmax(axis=1) != true) > 0)
    order = in_doubt[np.argsort(right[in_doubt], kind="stable")]
    return Suspects(saved.indices[order], right[order], fused.take(order), trust(answered.values()))


def label_posterior(probabilities: Floats, votes: Floats, accuracy: float) -> Floats:
    """Combine what students say of an item with what people said.

    Args:
        probabilities: Shape (n, n_labels), by students that did not learn the item.
        votes: Shape (n, n_labels), how often people gave each label, all the times they were asked.
        accuracy: How often people are right; when they are not, every other label is as likely.

    Returns:
        Shape (n, n_labels), rows sum to 1: how likely each label is to be the true one.

    Source: Dawid and Skene 1979, with one accuracy for all.
    """
    error = (1 - accuracy) / (probabilities.shape[1] - 1)
    return softmax(log_of(probabilities) + votes * np.log(accuracy / error))


def asked_again(
    items: Sequence[BatchItemRow], decisions: Sequence[DecisionRow]
) -> dict[int, tuple[float, bool]]:
    """Find the rechecks that people have answered.

    Args:
        items: Of all batches.
        decisions: Of people.

    Returns:
        By the index of the item, how likely its label was to be right, and whether they changed it.
    """
    asked = {(i.batch, i.item_index): i.why for i in items if i.reason == "recheck" and i.why}
    answered: dict[int, tuple[float, bool]] = {}
    before: dict[int, Value] = {}
    for row in decisions:
        why = None if row.batch is None else asked.get((row.batch, row.item_index))
        if why is not None and row.item_index in before:
            answered[row.item_index] = why["quality"], before[row.item_index] != row.value
        before[row.item_index] = row.value
    return answered


def trust(answered: Collection[tuple[float, bool]]) -> float:
    """Say what doubts are to be multiplied with: less than 1 if people confirmed most labels."""
    expected = sum(1 - right for right, _ in answered)
    changed = sum(was_changed for _, was_changed in answered)
    return (changed + PRIOR_RECHECKS) / (expected + PRIOR_RECHECKS)


def with_rechecks(chosen: Selection, view: SelectionView, doubts: Suspects, most: int) -> Selection:
    """Put rechecks in the place of the new items that gain least, wherever they gain more.

    Args:
        chosen: New items.
        view: The pool as it stands.
        doubts: What may be asked again.
        most: How many rechecks there may be.

    Returns:
        The rechecks, and the new items that stay in their order.
    """
    if not (len(chosen) and len(doubts)):
        return chosen
    new_gains = 1 - view.task.rows.confidence(view.proposal.take(chosen.indices))
    gains = doubts.wrong
    if view.seconds is not None:
        new_gains = new_gains / view.seconds[chosen.indices]
        gains = gains / view.seconds[doubts.indices]
    best = np.argsort(-gains, kind="stable")[:most]
    worst = np.argsort(new_gains, kind="stable")
    pairs = min(len(best), len(worst))
    count = int((gains[best[:pairs]] > new_gains[worst[:pairs]]).sum())
    again, stay = best[:count], np.sort(worst[count:])
    reason: Reason = "recheck"
    return Selection(
        np.append(doubts.indices[again], chosen.indices[stay]),
        np.append(doubts.wrong[again], chosen.scores[stay]),
        (reason,) * count + tuple(chosen.reasons[place] for place in stay),
        chosen.note,
    )


def _unchanged(files: WorkspaceFiles, saved: OutOfFold, labels: Sequence[ItemLabel]) -> OutOfFold:
    """Give the items whose labels are what they were, given by people with a proposal in view."""
    given = {each.index: each.value or () for each in labels if each.by_people and not each.blind}
    saved = saved.take(np.flatnonzero([index in given for index in saved.indices.tolist()]))
    values = [given[index] for index in saved.indices.tolist()]
    now = files.task.rows.encode(values, files.pool.contents(saved.indices)).rows
    differs = saved.targets.sums((now.values != saved.targets.values).any(axis=1))
    return saved.take(np.flatnonzero(differs == 0))


def _votes(files: WorkspaceFiles, decisions: Sequence[DecisionRow], saved: OutOfFold) -> Rows:
    """Count how often people gave each answer about items that were predicted."""
    place = {index: number for number, index in enumerate(saved.indices.tolist())}
    contents = files.pool.contents(saved.indices)
    votes = np.zeros(saved.targets.values.shape)
    for row in decisions:
        if row.action == "label" and (number := place.get(row.item_index)) is not None:
            said = files.task.rows.encode([row.value], [contents[number]]).rows
            votes[saved.targets.places(np.array([number]))] += said.values
    return Rows(votes, saved.targets.offsets)
