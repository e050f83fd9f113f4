"""What there is to do for an answer, for tasks where that is more than one choice."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import yaml

import hilt
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.selecting.item_seconds import measured_cost
from hilt.pipeline.selecting.review_cost import FEATURES, features
from hilt.pipeline.workspace.tables import BatchItemRow
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import Decision, Explanation, Part, Value

TEXT = "one two three four five six"
WHY = asdict(Explanation(2.0, 0.0, {}, typicality=0.5, covers=1))


def marked(count: int) -> Value:
    """Mark the first words of the text."""
    ends = [end for end in range(len(TEXT) + 1) if end == len(TEXT) or TEXT[end] == " "]
    starts = [0, *(end + 1 for end in ends)]
    return tuple(Part("key", place) for place in list(zip(starts, ends, strict=False))[:count])


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace of the toy task `words`, with a batch of 60 items."""
    rows = "".join(f"i{number},{TEXT}\n" for number in range(60))
    (tmp_path / "pool.csv").write_text(f"id,text\n{rows}", encoding="utf-8")
    config = {
        "task": "tests.toys.words:Words",
        "pool": {"path": "pool.csv", "id": "id"},
        "labels": ["key", "name"],
        "proposers": [{"kind": "tests.toys.word_models:Lexicon", "settings": {"words": {}}}],
        "student": {"kind": "tests.toys.word_models:WordCounts"},
        "duplicates": {"near": False},
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    work = hilt.init(tmp_path / "work", tmp_path / "config.yaml")
    items = [
        BatchItemRow(
            rank=number,
            item_index=number,
            item_id=f"i{number}",
            reason="random",
            score=0.5,
            blind=False,
            proposal=(),
            why=WHY,
        )
        for number in range(60)
    ]
    work.database.add_batch(0, {"kind": "random"}, items)
    return work


def times(work: Workspace, seconds: Callable[[int], float]) -> None:
    said = [Decision(f"i{n}", "label", marked(n % 6), "ann", 1, seconds(n % 6)) for n in range(60)]
    hilt.record(work, said, batch=1)


def test_marks_that_take_time_are_learnt(workspace: Workspace) -> None:
    times(workspace, lambda marks: 2.0 * (1 + 3 * marks))

    cost = measured_cost(LoopState.read(workspace))

    assert cost is not None
    assert cost.model.reads_effort
    assert cost.is_predictable
    assert cost.model.factors[FEATURES[-1]] == pytest.approx(2, abs=0.25)


def test_where_there_is_only_a_choice_nothing_is_added() -> None:
    lengths, nothing = np.array([3, 9]), np.zeros(2)

    assert features(lengths, nothing, nothing, blind=False).shape == (2, 4)
    assert features(lengths, nothing, nothing, False, np.array([0.0, 3.0]))[:, 4].tolist() == [0, 2]
