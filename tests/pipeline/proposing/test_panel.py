"""Several proposers in one workspace: abstentions, limits, costs, learning, bad ones."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from hilt.errors import ConfigError
from hilt.files import write_json
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.members import LIMIT_DRAW
from hilt.pipeline.proposing.panel import Panel
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.reviewing.answer_files import simulate
from hilt.pipeline.selecting.batches import select
from hilt.pipeline.training.train import train
from hilt.pipeline.workspace.growing import append
from hilt.pipeline.workspace.init import init
from hilt.pipeline.workspace.item_draws import draw
from hilt.pipeline.workspace.workspace import Workspace, open_workspace
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
    said = Panel.of(LoopState.read(workspace)).rows(slice(None))
    return np.stack([rows.values for rows in said])


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


def answered(workspace: Workspace, name: str = "Parrot") -> list[int]:
    array = workspace.proposal(name).open()
    return np.flatnonzero(~np.isnan(array[:, 0])).tolist()


def test_a_limited_proposer_is_asked_by_a_draw_that_belongs_to_each_item(
    with_proposers: Callable[..., Workspace],
) -> None:
    workspace = with_proposers(parrot(max_items=8, name="few"), parrot(max_items=20, name="more"))
    drawn = draw(workspace.pool.ids(slice(None)), workspace.config.seed, "limit")

    propose(workspace)

    assert answered(workspace, "few") == sorted(np.argsort(drawn)[:8].tolist())
    assert answered(workspace, "more") == sorted(np.argsort(drawn)[:20].tolist())


def test_what_an_older_hilt_asked_stays_asked(with_proposers: Callable[..., Workspace]) -> None:
    workspace = with_proposers(parrot(max_items=8))
    propose(workspace)
    array = workspace.proposal("Parrot")
    maker = {key: value for key, value in (array.maker() or {}).items() if key not in LIMIT_DRAW}
    older = [0, 7, 14, 21, 28, 35, 42, 49]
    rows = np.full_like(array.open(), np.nan)
    rows[older] = 0.5
    np.save(array.path, rows)
    write_json(array.maker_path, maker)

    assert "Parrot" not in propose(workspace).made
    assert answered(workspace) == older

    write_json(array.maker_path, {**maker, "embeddings": "of fewer items"})
    propose(workspace)
    assert answered(workspace) == older
    assert LIMIT_DRAW.items() <= (array.maker() or {}).items()


def test_nobody_pays_for_an_item_without_a_text(
    with_proposers: Callable[..., Workspace], tmp_path: Path
) -> None:
    pool = tmp_path / "gaps.jsonl"
    texts = ["", "rivers", " \n", *(f"mountain number {number}" for number in range(9))]
    pool.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), "utf-8")
    template = yaml.safe_load((with_proposers().folder / "hilt.yaml").read_text("utf-8"))
    template.pop("test", None)
    seen: dict[str, list[int]] = {}
    for name, section in {
        "paid": {"kind": "parrots:Paid"},
        "limited": parrot(max_items=10),
        "doubtful": parrot(only="uncertain", max_items=10),
        "free": parrot(),
    }.items():
        config = tmp_path / f"{name}.yaml"
        template |= {"pool": {"path": str(pool)}, "proposers": [{"kind": "zero_shot"}, section]}
        config.write_text(yaml.safe_dump(template), "utf-8")
        workspace = init(tmp_path / f"work-{name}", config)
        propose(workspace)
        seen[name] = answered(workspace, section["kind"].partition(":")[2])

    with_text = [1, *range(3, 12)]
    assert seen == {
        "paid": with_text,
        "limited": with_text,
        "doubtful": with_text,
        "free": list(range(12)),
    }


def test_uncertain_items_need_a_proposer_before(small_workspace: Open) -> None:
    workspace = small_workspace("ready")
    section = {"kind": "zero_shot", "only": "uncertain"}
    config = workspace.config.model_validate(
        {**workspace.config.model_dump(), "proposers": [section]}
    )

    with pytest.raises(
        ConfigError, match="no proposer before it can say which items are uncertain"
    ):
        propose(replace(workspace, config=config))


@pytest.mark.parametrize("name", ["student", "zero_shot"])
def test_a_name_that_is_taken_is_refused(
    with_proposers: Callable[..., Workspace], name: str
) -> None:
    with pytest.raises(ConfigError, match=f"'{name}' is already used"):
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
    assert summary.proposers["neighbours"]["coverage"] == 1
    assert summary.fusion["neighbours"] >= 0


@pytest.mark.parametrize("settings", [{"label": 0}, {"label": 2}])
def test_a_bad_proposer_is_turned_down_and_does_no_harm(
    with_proposers: Callable[..., Workspace], small_workspace: Open, settings: dict[str, int]
) -> None:
    without = small_workspace("trained").database.trainings()[-1].summary
    workspace = with_proposers(parrot(name="bad", **settings), stage="reviewed")
    propose(workspace)

    summary = train(workspace).summary

    # A dozen labels cannot turn it down to nothing yet; `test_fusion.py` does that with more.
    assert summary.fusion["bad"] < 0.6 * summary.fusion["zero_shot"]
    assert summary.proposers["bad"]["weight"] == summary.fusion["bad"]
    for who in ("student", "fused"):
        assert summary.test[who]["accuracy"] >= without.test[who]["accuracy"] - 0.05  # type: ignore[index]


def test_a_proposer_that_was_added_counts_nothing_until_the_next_training(
    with_proposers: Callable[..., Workspace],
) -> None:
    workspace = with_proposers(parrot(), stage="trained")
    before = workspace.database.trainings()[-1].summary.fusion
    propose(workspace)

    maker = workspace.fused.maker()

    assert maker is not None
    assert maker["weights"] == [before["student"], before["zero_shot"], 0]


@pytest.mark.parametrize("kind", ["parrots:Parrot", "parrots:Paid"])
@pytest.mark.parametrize(
    ("limits", "first", "more"),
    [
        ({}, 60, 30),
        ({"max_items": 20}, 20, 0),
        ({"max_items": 70}, 60, 10),
        ({"only": "uncertain", "max_items": 9}, 9, 0),
        ({"only": "uncertain"}, 6, 9),
    ],
)
def test_of_a_grown_pool_the_new_items_alone_are_asked_within_the_limit(
    with_proposers: Callable[..., Workspace],
    tmp_path: Path,
    kind: str,
    limits: dict[str, Any],
    first: int,
    more: int,
) -> None:
    workspace = with_proposers({"kind": kind, **limits})
    propose(workspace)
    name = kind.rpartition(":")[2]
    before = np.array(workspace.proposal(name).open())
    rows = "".join(f"new-{n},A new text of number {n},\n" for n in range(30))
    (tmp_path / "more.csv").write_text(f"id,text,label\n{rows}")
    text = (workspace.folder / "hilt.yaml").read_text("utf-8")
    path = workspace.config.pool.path
    (tmp_path / "more.yaml").write_text(text.replace(path, str(tmp_path / "more.csv")))
    grown = append(workspace.folder, tmp_path / "more.yaml").workspace
    asked = __import__("parrots").Parrot.asked

    propose(grown)
    after = grown.proposal(name).open()

    assert (~np.isnan(before[:, 0])).sum() == first
    assert __import__("parrots").Parrot.asked - asked <= more
    answered = ~np.isnan(np.asarray(after[:, 0]))
    assert first <= answered.sum() <= first + more
    assert np.array_equal(after[:60], before, equal_nan=True)
    assert propose(grown).made == ()
    assert not np.isnan(grown.fused.open()).any()
