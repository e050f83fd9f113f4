"""Several proposers in one workspace: abstentions, limits, costs, learning, bad ones."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from hilt.errors import ConfigError
from hilt.pipeline.batches import select
from hilt.pipeline.cycle import train
from hilt.pipeline.proposals import Proposals
from hilt.pipeline.proposing import load_embedder, propose
from hilt.pipeline.reviewing import simulate
from hilt.pipeline.workspace import Workspace, open_workspace
from hilt.progress import Advance

Open = Callable[[str], Workspace]
PARROT = '''
import numpy as np


class Parrot:
    """Says one label of everything, and counts what it is asked."""

    asked = 0

    def __init__(self, context, label=0, confidence=0.9, silent=""):
        self.n_labels = len(context.labels)
        self.label, self.confidence, self.silent = label, confidence, silent

    def propose(self, items):
        Parrot.asked += len(items)
        rows = np.full((len(items), self.n_labels), (1 - self.confidence) / (self.n_labels - 1))
        rows[:, self.label] = self.confidence
        rows[[bool(self.silent) and self.silent in text for text in items.texts]] = np.nan
        return rows.astype("float32")


class Paid(Parrot):
    def estimate(self, texts, n_items):
        return f"{n_items} items, judged by {len(texts)}, would cost nothing."

    def summary(self):
        return {"requests": self.asked}
'''


@pytest.fixture
def with_proposers(
    small_workspace: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Workspace]:
    """Opens a workspace whose proposers are zero_shot and those that are given."""
    (tmp_path / "parrots.py").write_text(PARROT, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "parrots", raising=False)

    def open_with(*proposers: dict[str, Any], stage: str = "ready") -> Workspace:
        workspace = small_workspace(stage)
        path = workspace.folder / "hilt.yaml"
        values = yaml.safe_load(path.read_text("utf-8"))
        values["proposers"] = [{"kind": "zero_shot"}, *proposers]
        path.write_text(yaml.safe_dump(values), encoding="utf-8")
        return open_workspace(workspace.folder)

    return open_with


def parrot(**changes: Any) -> dict[str, Any]:
    settings = {key: changes.pop(key) for key in ("label", "silent") if key in changes}
    return {"kind": "parrots:Parrot", "settings": settings, **changes}


def rows_of(workspace: Workspace) -> np.ndarray[Any, Any]:
    return Proposals(workspace, load_embedder(workspace)).rows(slice(None))


def test_an_abstention_leaves_the_others_to_speak(with_proposers: Callable[..., Workspace]) -> None:
    workspace = with_proposers(parrot(silent="river"))
    propose(workspace)
    zero_shot, said = rows_of(workspace)
    silent = np.array(["river" in text for text in workspace.pool.texts(slice(None))])

    fused = workspace.fused.open()

    assert 0 < silent.sum() < 60
    assert np.isnan(said[silent]).all()
    assert not np.isnan(fused).any()
    assert (fused[silent].argmax(axis=1) == zero_shot[silent].argmax(axis=1)).all()


def test_a_limited_proposer_is_asked_about_what_the_others_are_least_sure_of(
    with_proposers: Callable[..., Workspace],
) -> None:
    workspace = with_proposers(parrot(only="uncertain", max_items=9))
    propose(workspace)
    zero_shot, said = rows_of(workspace)
    top = np.sort(zero_shot, axis=1)
    margin = top[:, -1] - top[:, -2]

    answered = ~np.isnan(said[:, 0])

    assert answered.sum() == 9
    assert margin[answered].max() <= margin[~answered].min()


def test_a_limit_alone_is_a_random_sample(with_proposers: Callable[..., Workspace]) -> None:
    workspace = with_proposers(parrot(max_items=20))
    propose(workspace)

    assert (~np.isnan(rows_of(workspace)[1, :, 0])).sum() == 20


def test_uncertain_items_need_a_proposer_before(small_workspace: Open) -> None:
    workspace = small_workspace("ready")
    section = {"kind": "zero_shot", "only": "uncertain"}
    config = workspace.config.model_validate(
        {**workspace.config.model_dump(), "proposers": [section]}
    )

    with pytest.raises(ConfigError, match="none before it says what is uncertain"):
        propose(replace(workspace, config=config))


@pytest.mark.parametrize("name", ["student", "zero_shot"])
def test_a_name_that_is_taken_is_refused(
    with_proposers: Callable[..., Workspace], name: str
) -> None:
    with pytest.raises(ConfigError, match=f"'{name}', which is taken"):
        propose(with_proposers(parrot(name=name)))


class Listener:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def task(self, description: str, total: int, unit: str) -> nullcontext[Advance]:
        return nullcontext(lambda amount: None)

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_what_costs_money_says_so_before_and_reports_after(
    with_proposers: Callable[..., Workspace],
) -> None:
    listener = Listener()
    workspace = replace(
        with_proposers({"kind": "parrots:Paid", "name": "paid", "max_items": 12}), progress=listener
    )

    result = propose(workspace)

    assert listener.notes == ["paid: 12 items, judged by 12, would cost nothing."]
    assert result.summaries == {"paid": {"requests": 12}}  # the test set is not asked about
    assert propose(workspace).summaries == result.summaries


def test_a_proposer_that_learns_proposes_again_when_there_are_labels(
    with_proposers: Callable[..., Workspace],
) -> None:
    workspace = with_proposers({"kind": "neighbours", "k": 3})
    propose(workspace)
    assert np.isnan(rows_of(workspace)[1]).all()

    simulate(workspace, select(workspace))
    summary = train(workspace).summary

    said = rows_of(workspace)[1]
    assert not np.isnan(said).any()
    assert summary["proposers"]["neighbours"]["coverage"] == 1
    assert summary["fusion"]["neighbours"] >= 0


@pytest.mark.parametrize("settings", [{"label": 0}, {"label": 2}])
def test_a_bad_proposer_is_turned_down_and_does_no_harm(
    with_proposers: Callable[..., Workspace], small_workspace: Open, settings: dict[str, int]
) -> None:
    without = small_workspace("trained").store.trainings()[-1].summary
    workspace = with_proposers(parrot(name="bad", **settings), stage="reviewed")
    propose(workspace)

    summary = train(workspace).summary

    # A dozen labels cannot turn it down to nothing yet; `test_fusion.py` does that with more.
    assert summary["fusion"]["bad"] < 0.6 * summary["fusion"]["zero_shot"]
    assert summary["proposers"]["bad"]["weight"] == summary["fusion"]["bad"]
    for who in ("student", "fused"):
        assert summary["test"][who]["accuracy"] >= without["test"][who]["accuracy"] - 0.05


def test_a_proposer_that_was_added_counts_nothing_until_the_next_training(
    with_proposers: Callable[..., Workspace],
) -> None:
    workspace = with_proposers(parrot(), stage="trained")
    before = workspace.store.trainings()[-1].summary["fusion"]
    propose(workspace)

    maker = workspace.fused.maker()

    assert maker is not None
    assert maker["weights"] == [before["student"], before["zero_shot"], 0]
