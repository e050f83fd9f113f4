"""The audit draws items, and asks about each text once."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

import hilt
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.reviewing.desk.workspace_desk import WorkspaceDesk
from hilt.pipeline.workspace.audit_slice import (
    AuditDraw,
    count_drawn,
    read_copies,
    settled_copies,
    stored_copies,
)
from hilt.pipeline.workspace.item_draws import draw
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import Integers
from tests.pipeline.reviewing.desk.conftest import at_desk, person

MakeWorkspace = Callable[..., Workspace]


def texts_of(texts: Sequence[str]) -> Callable[[Integers], list[str]]:
    return lambda indices: [texts[index] for index in indices]


def test_a_copy_is_drawn_and_not_asked() -> None:
    texts = ["a", "b", "a", "c", "b", "d"]
    numbers = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    audit = AuditDraw(numbers, np.ones(6, dtype=bool), {"c": 9}, texts_of(texts))

    drawn = audit.slice(5)

    assert drawn.asked.indices.tolist() == [0, 1]
    assert dict(drawn.copies) == {2: 0, 3: 9, 4: 1}
    assert audit.beside(drawn, 2) == drawn.copies
    assert audit.beside(drawn, 1) == audit.beside(drawn, 0) == {}
    assert read_copies([{}, stored_copies(drawn.copies), stored_copies({})]) == drawn.copies
    assert settled_copies(drawn.copies, [0, 9]) == [2, 3]
    assert count_drawn(drawn.copies, [0, 1, 5]).tolist() == [2, 2, 1]
    assert count_drawn(drawn.copies, [0, 2]).tolist() == [1, 1]  # a copy was asked all the same


@pytest.mark.parametrize(("heard", "reach"), [("", 1), ("a", 2), ("ab", 4), ("abc", 0)])
def test_what_is_left_to_ask_is_found_behind_what_was_heard(heard: str, reach: int) -> None:
    numbers = np.array([0.1, 0.2, 0.3, 0.4, np.inf])
    known = dict.fromkeys(heard, 9)

    audit = AuditDraw(numbers, np.ones(5, dtype=bool), known, texts_of("abacx"))

    assert audit.reach() == reach


def measured(texts: Sequence[str], right: dict[str, bool], seed: int) -> tuple[float, int, int]:
    """Audit a pool in ten batches of three: the share found right, texts asked, items drawn."""
    numbers = draw([f"i-{index}" for index in range(len(texts))], seed, "audit")
    asked: list[int] = []
    copies: dict[int, int] = {}
    for _ in range(10):
        free = np.ones(len(texts), dtype=bool)
        free[[*asked, *copies]] = False
        heard = {texts[index]: index for index in asked}
        drawn = AuditDraw(numbers, free, heard, texts_of(texts)).slice(3)
        asked += drawn.asked.indices.tolist()
        copies |= drawn.copies
    times = count_drawn(copies, asked)
    hits = np.array([right[texts[index]] for index in asked])
    return float((times * hits).sum() / times.sum()), len(asked), int(times.sum())


def test_the_figure_has_no_bias_where_copies_abound() -> None:
    texts = ["notice"] * 120 + [f"t{n // 2}" for n in range(80)] + [f"u{n}" for n in range(200)]
    right = {text: text == "notice" or int(text[1:]) % 5 > 0 for text in set(texts)}
    truth = np.mean([right[text] for text in texts])

    found = [measured(texts, right, seed) for seed in range(1500)]

    shares, asked, drawn = (np.array(each) for each in zip(*found, strict=True))
    error = shares.std() / np.sqrt(len(shares))
    assert abs(shares.mean() - truth) < 3 * error < 0.006
    assert (drawn == 30).all()
    assert 20 < asked.mean() < 23  # of nine notices in thirty, one is asked
    plain = np.sqrt(truth * (1 - truth) / 30 * (370 / 399))
    assert shares.std() == pytest.approx(plain, rel=0.06)  # as wide as were all thirty asked


@pytest.fixture
def work(make_workspace_in: MakeWorkspace, tmp_path: Path) -> Workspace:
    """Sixty texts, and sixty copies of one of them."""
    copies = [(f"copy-{n}", "The cat slept in its den all day.", "animals") for n in range(60)]
    made = make_workspace_in(tmp_path, extra=copies, test=False, audit=0.5)
    hilt.propose(made)
    return made


def test_a_batch_asks_a_text_once_and_its_answer_counts_for_all(work: Workspace) -> None:
    same = [index for index, text in enumerate(work.pool.texts(range(120))) if "cat slept" in text]
    first = np.argsort(LoopState.read(work).audit_order.numbers)[:12]
    for _ in range(2):
        batch = hilt.select(work)
        assert len(batch) == 12
        hilt.simulate(work, batch)
    hilt.train(work)

    rows = [row for row in work.database.batch_items() if row.reason == "audit"]
    drawn = {row.item_index for row in rows} | set(LoopState.read(work).audit_order.copies)
    audit = hilt.status(work).training.audit["student"]  # type: ignore[index, union-attr]
    assert sum(row.item_index in same for row in rows) == 1
    assert len(drawn) == audit["items"] == 12
    assert drawn == set(first.tolist())
    assert hilt.status(work).audit_labels == len(rows) < 12

    async def look(desk: WorkspaceDesk) -> None:
        told = desk.standing(person(desk, "reviewer")).accuracy
        assert told == "proposals right: too early to say: 12 checked"

    at_desk(work, look)


def test_a_pool_of_copies_comes_to_an_end(work: Workspace) -> None:
    while batch := hilt.select(work):
        if not batch.items:
            break
        hilt.simulate(work, batch)

    texts = [
        text for row in work.database.batch_items() for text in work.pool.texts([row.item_index])
    ]
    assert hilt.status(work).human_labels == len(texts)
    asked_twice = len(texts) - len(set(texts))
    checks = [row for row in work.database.batch_items() if row.reason == "inherited"]
    assert asked_twice <= len(checks) + 1
    assert hilt.status(work).next_step.startswith("hilt cycle")
