"""Why an item was picked, in numbers and in words."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import get_args

import numpy as np
import pytest
from typer.testing import CliRunner

from hilt.media.shown import Shown
from hilt.pipeline.cli import app
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.committee import Committee
from hilt.pipeline.proposing.panel import Panel
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.selecting.batches import select
from hilt.pipeline.selecting.explanation import REASONS, in_words, reason_in_words, shown_why
from hilt.pipeline.workspace.batch_items import batch_item
from hilt.pipeline.workspace.tables import BatchItemRow
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import BatchItem, Candidate, Explanation, Part, Reason

Open = Callable[[str], Workspace]
WHY = Explanation(
    plausible=2.1, disagreement=0.5, others={"rules": "food"}, typicality=0.83, covers=132
)
ITEM = BatchItem(
    rank=0,
    index=7,
    item_id="i7",
    shown=Shown({"text": "A cat."}),
    reason="uncertain",
    score=0.9,
    blind=False,
    proposal=(Candidate(Part("animals"), 0.41), Candidate(Part("sport"), 0.38)),
    why=WHY,
)
BLIND = replace(ITEM, reason="audit", blind=True)


def test_an_uncertain_item_lies_between_two_labels() -> None:
    assert in_words(ITEM) == (
        "Picked because the models are uncertain: animals (41%) or sport (38%). Proposers:"
        " rules says food. It represents 132 items, more typical than 83% of the pool."
    )


@pytest.mark.parametrize(
    ("why", "said"),
    [
        (replace(WHY, covers=1), "represents only itself"),
        (replace(WHY, covers=1300, sampled=5000), "represents about 1,300 items"),
        (replace(WHY, typicality=0.04), "an outlier."),
    ],
)
def test_numbers_are_told_in_words(why: Explanation, said: str) -> None:
    assert said in in_words(replace(ITEM, why=why))


def test_a_recheck_says_how_likely_its_label_is_right_but_not_which_it_is() -> None:
    doubtful = replace(ITEM, reason="recheck", why=replace(WHY, quality=0.12))

    assert in_words(doubtful).startswith(
        "Asked again: students that did not learn its label give it a probability of 12%"
    )


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (
            BLIND,
            "Drawn at random and shown without a proposal, to measure accuracy. It represents 132",
        ),
        (
            replace(ITEM, reason="coverage"),
            "Picked so that the batch covers the whole pool. Proposers:",
        ),
        (replace(ITEM, reason="random"), "Drawn at random. Proposers: rules says food."),
        (
            replace(ITEM, reason="spread"),
            "Drawn at random, spread over the predicted labels. Proposers:",
        ),
        (replace(ITEM, proposal=(), why=None), "Picked because the models are uncertain."),
        (
            replace(ITEM, reason="mood"),  # type: ignore[arg-type]
            "Picked as 'mood'. Proposers",
        ),
    ],
)
def test_an_item_is_explained_by_its_own_reason(item: BatchItem, said: str) -> None:
    assert in_words(item).startswith(said)


def test_every_reason_has_a_sentence_of_its_own() -> None:
    said = {reason: reason_in_words(replace(ITEM, reason=reason)) for reason in get_args(Reason)}

    assert set(REASONS) == set(said)
    assert len(set(said.values())) == len(said)
    assert not any("stands for" in sentence for sentence in said.values())


@pytest.mark.parametrize(
    ("reason", "note", "read"),
    [
        ("coverage", "items at random, spread over the predicted labels: too few", "spread"),
        ("coverage", "items that represent the most uncertain items around them", "coverage"),
        ("coverage", "", "coverage"),
        ("uncertain", "items at random, spread over the predicted labels: too few", "uncertain"),
    ],
)
def test_what_an_older_batch_drew_over_the_labels_is_read_as_that(
    reason: str, note: str, read: str
) -> None:
    row = BatchItemRow(
        rank=0, item_index=7, item_id="i7", reason=reason, score=0.5, blind=False, proposal=[]
    )

    assert batch_item(row, ITEM.shown, note).reason == read


def test_of_a_blind_item_nothing_is_told_that_leans() -> None:
    assert shown_why(ITEM) == asdict(WHY)
    assert shown_why(BLIND) == {"typicality": 0.83, "covers": 132, "sampled": None}
    assert "animals" not in in_words(BLIND)
    assert "food" not in in_words(BLIND)


def test_what_is_kept_with_a_batch_is_what_was_proposed_then(small_workspace: Open) -> None:
    workspace = small_workspace("trained")
    propose(workspace)
    committee = Committee(Panel.of(LoopState.read(workspace)))

    batch = select(workspace)

    said = committee(np.array([item.index for item in batch.items]))
    names = workspace.config.label_names
    assert committee.names == ("student", "zero_shot")
    for place, item in enumerate(batch.items):
        assert item.why is not None
        for name, row in zip(committee.names, [each.values[place] for each in said], strict=True):
            label = names[row.argmax()]
            assert item.why.others.get(name, item.proposal[0].label) == label
        assert item.why.disagreement == len(item.why.others) / 2
        assert 1 <= item.why.plausible <= 3
        assert 1 <= item.why.covers <= 60
    assert LoopState.read(workspace).batch(batch.number) == batch


def test_the_command_explains_every_item(small_workspace: Open) -> None:
    work = str(small_workspace("selected").folder)

    told = CliRunner().invoke(app, ["select", work, "--explain"]).stdout
    items = json.loads(CliRunner().invoke(app, ["select", work, "--json"]).stdout)["items"]

    assert told.count("It represents ") == 12
    assert told.count("to measure accuracy. It represents") == 3
    assert told.count("Drawn at random, spread over the predicted labels. ") == 9
    for item in items:
        assert ("others" in item["why"]) is not item["blind"]
