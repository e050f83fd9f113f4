"""Asking again where people are probably wrong."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from hilt.pipeline.cycle import cycle
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.committee import Committee
from hilt.pipeline.proposing.panel import Panel
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.reviewing.answer_files import record
from hilt.pipeline.reviewing.oracle import oracle
from hilt.pipeline.selecting.batches import select
from hilt.pipeline.selecting.rechecks import (
    Suspects,
    asked_again,
    find_doubts,
    label_posterior,
    trust,
    with_rechecks,
)
from hilt.pipeline.training.train import train
from hilt.pipeline.workspace.labels import ItemLabel
from hilt.pipeline.workspace.tables import BatchItemRow, DecisionRow
from hilt.pipeline.workspace.workspace import Workspace, open_workspace
from hilt.rows import Rows
from hilt.tasks.single import Single
from hilt.types import Batch, BatchItem, Decision, Selection, SelectionView, Value
from hilt.values import value_of
from tests.one_label import known_labels

MakeWorkspace = Callable[..., Workspace]
WRONG = "animals"  # what the reviewer says of some items that are about sport


def test_a_label_is_weighed_against_the_students() -> None:
    probabilities = np.array([[0.9, 0.1]] * 3)
    votes = np.array([[0, 1], [0, 2], [1, 1]])

    posterior = label_posterior(probabilities, votes, accuracy=0.8)

    assert posterior[:, 1] == pytest.approx([0.08 / 0.26, 0.064 / 0.1, 0.1], abs=1e-5)


def test_every_other_label_is_as_likely_when_people_are_wrong() -> None:
    posterior = label_posterior(np.full((1, 4), 0.25), np.array([[1, 0, 0, 0]]), accuracy=0.7)

    assert posterior[0] == pytest.approx([0.7, 0.1, 0.1, 0.1], abs=1e-5)


def view_of(probabilities: list[float], seconds: list[float] | None = None) -> SelectionView:
    """A pool of two labels, by the probability of the likelier."""
    n = len(probabilities)
    nothing = np.empty(0, dtype=np.int64)
    return SelectionView(
        embeddings=np.eye(n, dtype=np.float32),
        proposal=Rows(np.array([[each, 1 - each] for each in probabilities])),
        task=Single(("yes", "no")),
        candidates=np.arange(n),
        labelled=nothing,
        labels=nothing,
        groups=np.arange(n),
        seconds=None if seconds is None else np.array(seconds),
    )


CHOSEN = Selection(np.array([0, 1, 2]), np.array([0.9, 0.8, 0.7]), ("uncertain",) * 3)
DOUBTS = Suspects(np.array([3, 4, 5]), np.array([0.4, 0.8, 0.95]), Rows(np.full((3, 2), 0.5)))
SURE = [0.5, 0.9, 0.7, 1.0, 1.0, 1.0]


def test_a_recheck_takes_the_place_of_the_item_that_gains_least() -> None:
    mixed = with_rechecks(CHOSEN, view_of(SURE), DOUBTS, most=3)

    assert mixed.indices.tolist() == [3, 0, 2]
    assert mixed.reasons == ("recheck", "uncertain", "uncertain")
    assert mixed.scores == pytest.approx([0.6, 0.9, 0.7])


def test_the_share_is_the_most_that_there_are() -> None:
    sure = view_of([1.0] * 6)

    assert with_rechecks(CHOSEN, sure, DOUBTS, most=2).reasons.count("recheck") == 2
    assert with_rechecks(CHOSEN, sure, DOUBTS, most=9).reasons.count("recheck") == 3
    assert with_rechecks(CHOSEN, sure, DOUBTS, most=0).reasons.count("recheck") == 0


def test_nothing_is_asked_again_where_new_items_gain_more() -> None:
    slight = replace(DOUBTS, right=np.array([0.6, 0.8, 0.95]))

    assert with_rechecks(CHOSEN, view_of([0.5] * 6), slight, most=3).indices.tolist() == [0, 1, 2]


def test_what_is_slow_gains_less() -> None:
    slow = view_of(SURE, seconds=[5, 5, 5, 60, 5, 5])

    assert with_rechecks(CHOSEN, slow, DOUBTS, most=1).indices.tolist() == [4, 0, 2]


def asked(batch: int, index: int, quality: float) -> BatchItemRow:
    return BatchItemRow(batch=batch, item_index=index, reason="recheck", why={"quality": quality})


def said(batch: int, index: int, label: str) -> DecisionRow:
    return DecisionRow(batch=batch, item_index=index, value=value_of(label))


def test_answered_rechecks_are_found_with_what_became_of_them() -> None:
    items = [asked(2, 0, 0.1), asked(2, 1, 0.2), asked(2, 2, 0.3)]
    decisions = [
        said(1, 0, "a"),
        said(1, 1, "a"),
        said(1, 2, "a"),
        said(2, 0, "a"),
        said(2, 1, "b"),
    ]

    assert asked_again(items, decisions) == {0: (0.1, False), 1: (0.2, True)}


def test_doubts_count_less_once_people_have_confirmed_their_labels() -> None:
    assert trust([]) == 1
    assert trust([(0.1, False)] * 10) == pytest.approx(5 / 14)
    assert trust([(0.1, True)] * 10) == pytest.approx(15 / 14)


# -- in a workspace ----------------------------------------------------------------------------


def answer(workspace: Workspace, batch: Batch, wrong: int = 0, reviewer: str = "ann") -> list[str]:
    """Answer a batch by the key, but `wrong` items on sport, and return those."""
    key = known_labels(workspace)
    sport = [item.item_id for item in batch.items if key[item.item_id] == "sport"]
    blind = {item.item_id for item in batch.items if item.blind}
    mistaken = [item_id for item_id in sport if item_id not in blind][:wrong]
    record(
        workspace,
        [
            Decision(
                item.item_id,
                "label",
                (WRONG if item.item_id in mistaken else key[item.item_id],),
                reviewer,
                batch.number,
            )
            for item in batch.items
        ],
    )
    return mistaken


@pytest.fixture
def mistaken(new_workspace: MakeWorkspace) -> tuple[Workspace, Batch, list[str]]:
    """A workspace with two wrong labels among 30, and the batch that asks about them again."""
    workspace = new_workspace(audit=0.2)
    path = workspace.folder / "hilt.yaml"
    text = path.read_text("utf-8").replace("  audit: 0.2\n", "  audit: 0.2\n  recheck: 0.5\n")
    path.write_text(f"{text}student:\n  effort: quick\n", "utf-8")
    workspace = open_workspace(workspace.folder)
    propose(workspace)
    wrong = answer(workspace, select(workspace, 30), wrong=2)
    train(workspace)
    propose(workspace)
    return workspace, select(workspace, 12), wrong


def rechecks(batch: Batch) -> dict[str, BatchItem]:
    return {item.item_id: item for item in batch.items if item.reason == "recheck"}


Mistaken = tuple[Workspace, Batch, list[str]]


def test_wrong_labels_come_back_with_what_students_say(mistaken: Mistaken) -> None:
    _, batch, wrong = mistaken

    found = rechecks(batch)

    assert set(wrong) <= set(found)
    assert len(batch) == 12
    for item_id in wrong:
        item = found[item_id]
        assert item.proposal[0].label == "sport"
        assert not item.blind
        assert item.why is not None
        assert item.why.quality is not None
        assert item.why.quality < 0.5
        assert "student" not in item.why.others


def test_most_of_what_is_asked_again_is_wrong(mistaken: Mistaken) -> None:
    _, batch, _ = mistaken

    assert len(rechecks(batch)) <= 4


def doubts_of(workspace: Workspace, labels: Sequence[ItemLabel]) -> Suspects:
    state = LoopState.read(workspace)
    return find_doubts(state, labels, Committee(Panel.of(state)))


def test_audit_labels_are_not_asked_again(mistaken: Mistaken) -> None:
    workspace, _, _ = mistaken
    outcomes = LoopState.read(workspace).resolved

    doubts = doubts_of(workspace, outcomes)

    assert not {o.index for o in outcomes if o.audit} & set(doubts.indices.tolist())


def test_a_recheck_is_open_until_it_is_decided_for_its_batch(mistaken: Mistaken) -> None:
    workspace, batch, wrong = mistaken
    assert LoopState.read(workspace).undecided(batch).items == batch.items

    record(workspace, [Decision(wrong[0], "label", ("sport",), "ann", batch.number)])
    record(workspace, [Decision(wrong[1], "label", (WRONG,), "ann", batch.number)])

    left = {item.item_id for item in LoopState.read(workspace).undecided(batch).items}
    assert left == {item.item_id for item in batch.items} - set(wrong)


def test_an_older_answer_read_again_does_not_answer_a_recheck(mistaken: Mistaken) -> None:
    workspace, batch, wrong = mistaken

    result = record(workspace, [Decision(wrong[0], "label", (WRONG,), "ann", batch.number - 1)])

    assert (result.added, result.unchanged) == (0, 1)
    assert wrong[0] in {item.item_id for item in LoopState.read(workspace).undecided(batch).items}


def values_of(workspace: Workspace) -> dict[str, Value | None]:
    return {outcome.item_id: outcome.value for outcome in LoopState.read(workspace).resolved}


def test_the_same_reviewer_replaces_and_another_adds_a_vote(mistaken: Mistaken) -> None:
    workspace, batch, wrong = mistaken

    record(workspace, [Decision(wrong[0], "label", ("sport",), "ann", batch.number)])
    record(workspace, [Decision(wrong[1], "label", ("food",), "ben", batch.number)])
    outcomes = {outcome.item_id: outcome for outcome in LoopState.read(workspace).resolved}

    assert outcomes[wrong[0]].value == value_of("sport")
    assert outcomes[wrong[1]].reviewers == ("ben",)
    record(workspace, [Decision(wrong[1], "label", (WRONG,), "cleo", batch.number)])
    assert values_of(workspace)[wrong[1]] == value_of(WRONG)


def test_a_confirmed_label_is_not_asked_again(mistaken: Mistaken) -> None:
    workspace, batch, wrong = mistaken
    key = known_labels(workspace)
    record(
        workspace,
        [
            Decision(
                item.item_id,
                "label",
                (WRONG if item.item_id in wrong else key[item.item_id],),
                "ann",
                batch.number,
            )
            for item in batch.items
        ],
    )

    again = cycle(workspace)

    assert not set(wrong) & set(rechecks(again))


def test_a_machine_does_not_answer_a_recheck(mistaken: Mistaken) -> None:
    workspace, _, wrong = mistaken

    result = oracle(workspace, least=0.01)

    current = LoopState.read(workspace).open_batch
    assert current is not None
    assert set(wrong) <= {
        item.item_id for item in LoopState.read(workspace).undecided(current).items
    }
    assert not {each.item_id for each in result.answers} & set(wrong)


def test_nothing_is_asked_again_unless_a_share_is_given(new_workspace: MakeWorkspace) -> None:
    workspace = new_workspace(audit=0.2)
    propose(workspace)
    answer(workspace, select(workspace, 30), wrong=2)
    train(workspace)
    propose(workspace)

    assert not rechecks(select(workspace, 12))


def test_before_a_training_nothing_is_in_doubt(small_workspace: Callable[[str], Workspace]) -> None:
    workspace = small_workspace("reviewed")

    assert len(doubts_of(workspace, LoopState.read(workspace).resolved)) == 0
