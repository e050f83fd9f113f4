"""Whichever way a decision comes in, what is wrong with it is refused in the same words."""

import asyncio
import json
import math
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import hilt
from hilt.errors import DataError
from hilt.pipeline.reviewing import oracle
from hilt.pipeline.reviewing.desk.workspace_desk import WorkspaceDesk
from hilt.pipeline.workspace.workspace import Workspace, open_workspace
from hilt.review.screen.protocol import Answer, Person
from hilt.review.simulated import SimulatedReviewer
from hilt.types import Content, Decision
from hilt.values import value_of

Fault = dict[str, Any]
Way = Callable[[Workspace, Path, Fault, pytest.MonkeyPatch], str]

FIT: dict[str, Any] = {
    "item_id": "cat-0",
    "action": "label",
    "value": ("food",),
    "reviewer": "ann",
}
FAULTS: dict[str, tuple[Fault, str]] = {
    "unknown item": ({"item_id": "cat-99"}, "cat-99|no item"),
    "unknown label": ({"value": ("arts",)}, "'arts' is not a label"),
    "disallowed action": ({"action": "label it", "value": ()}, "action.*'label it'"),
    "no label": ({"value": ()}, "exactly one|label is empty"),
    "two labels": ({"value": ("food", "sport")}, "exactly one|2 labels|is not a label|one label"),
    "label of a skip": ({"action": "skip"}, "action is 'skip' but"),
    "reserved name": ({"reviewer": "resolved:x"}, "names that begin with"),
    "no name": ({"reviewer": "\x07"}, "no control characters"),
    "nan": ({"seconds": math.nan}, "seconds is nan"),
    "negative": ({"seconds": -1.0}, "seconds is -1.0"),
    "too long": ({"seconds": 1e308}, r"seconds is 1e\+308"),
    "surrogate": ({"comment": "\ud800"}, "surrogate"),
}


def by_file(work: Workspace, folder: Path, fault: Fault, _: pytest.MonkeyPatch) -> str:
    return _import(work, folder, fault, gold=False)


def by_gold(work: Workspace, folder: Path, fault: Fault, _: pytest.MonkeyPatch) -> str:
    return _import(work, folder, fault, gold=True)


def _import(work: Workspace, folder: Path, fault: Fault, *, gold: bool) -> str:
    said = FIT | fault
    line = {
        "id": said["item_id"],
        "label": list(said["value"]),
        "action": said["action"],
        "reviewer": said["reviewer"],
        "seconds": str(said["seconds"]) if "seconds" in said else None,
        "comment": said.get("comment"),
    }
    sound = {"id": "soup-1", "label": "food"}
    path = folder / "answers.jsonl"
    path.write_text(f"{json.dumps(sound)}\n{json.dumps(line)}\n", "utf-8")
    with pytest.raises(DataError) as caught:
        hilt.import_answers(work, path, gold=gold)
    return str(caught.value)


def by_python(work: Workspace, _: Path, fault: Fault, __: pytest.MonkeyPatch) -> str:
    sound = Decision("soup-1", "label", ("food",), "ann")
    with pytest.raises(DataError) as caught:
        hilt.record(work, [sound, Decision(**(FIT | fault))])
    return str(caught.value)


def by_simulation(work: Workspace, _: Path, fault: Fault, patch: pytest.MonkeyPatch) -> str:
    right = SimulatedReviewer.review

    def errs(
        reviewer: SimulatedReviewer, batch: hilt.Batch, contents: Sequence[Content]
    ) -> list[Decision]:
        first, *others = right(reviewer, batch, contents)
        return [*others, replace(first, **fault)]

    patch.setattr(SimulatedReviewer, "review", errs)
    with pytest.raises(DataError) as caught:
        hilt.simulate(work, hilt.select(work))
    return str(caught.value)


def by_oracle(work: Workspace, _: Path, fault: Fault, patch: pytest.MonkeyPatch) -> str:
    right = oracle._decision

    def errs(answer: oracle.OracleAnswer, reviewer: str, batch: int) -> Decision:
        return replace(right(answer, reviewer, batch), **fault)

    patch.setattr(oracle, "_decision", errs)
    with pytest.raises(DataError) as caught:
        hilt.oracle(work, least=0.01)
    return str(caught.value)


def by_screen(work: Workspace, _: Path, fault: Fault, __: pytest.MonkeyPatch) -> str:
    return _at_desk(work, fault, adjudicates=False)


def by_adjudication(work: Workspace, _: Path, fault: Fault, __: pytest.MonkeyPatch) -> str:
    return _at_desk(work, fault, adjudicates=True)


def _at_desk(work: Workspace, fault: Fault, *, adjudicates: bool) -> str:
    """One answer of a page; of several, each is stored or refused by itself, with a receipt."""
    said = FIT | fault
    answer = Answer(
        key="k-1",
        item=10**6 if "item_id" in fault else 0,
        act=said["action"],
        value=value_of(*said["value"]),
        seconds=said.get("seconds"),
        comment=said.get("comment", ""),
    )
    person = Person(said["reviewer"], adjudicator=True, seal="")

    async def day() -> str:
        desk = WorkspaceDesk(work)
        await desk.start()
        try:
            store = desk.adjudicate if adjudicates else desk.record
            (receipt,) = await store(person, [answer])
        finally:
            await desk.stop()
        assert receipt.refused is not None
        return receipt.refused

    return asyncio.run(day())


WAYS: dict[str, tuple[Way, set[str]]] = {  # with the faults that cannot come that way
    "file": (by_file, set()),
    "gold": (by_gold, {"reserved name", "no name"}),  # they are nobody's
    "python": (by_python, set()),
    "simulation": (by_simulation, set()),
    "oracle": (by_oracle, set()),
    "screen": (by_screen, set()),
    "adjudication": (by_adjudication, set()),
}
CASES = [(way, fault) for way, (_, never) in WAYS.items() for fault in FAULTS if fault not in never]


@pytest.fixture(scope="module")
def work(stages: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """One for all, for nothing is stored."""
    return open_workspace(shutil.copytree(stages["selected"], tmp_path_factory.mktemp("w") / "w"))


@pytest.mark.parametrize(("way", "fault"), CASES)
def test_every_way_in_refuses_every_fault_and_stores_nothing(
    work: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, fault: str
) -> None:
    enter, (fields, reason) = WAYS[way][0], FAULTS[fault]

    told = enter(work, tmp_path, fields, monkeypatch)

    assert re.search(reason, told), told
    assert work.database.decisions() == []
