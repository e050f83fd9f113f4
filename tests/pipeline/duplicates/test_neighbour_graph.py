"""The neighbours of every item, in a workspace: made once, and gone on with after a kill."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hilt.errors import DataError
from hilt.files import write_json
from hilt.pipeline.duplicates import neighbour_graph as module
from hilt.pipeline.duplicates.neighbour_graph import NEIGHBOURS, make_graph
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.selecting.batches import select
from hilt.pipeline.workspace.workspace import Workspace
from hilt.selectors import auto
from hilt.selectors.arithmetic import neighbours
from hilt.selectors.auto import Auto
from hilt.types import Floats, Integers, Selection, SelectionView

Open = Callable[[str], Workspace]


class Killed(BaseException):
    """Stands for a process that ends."""


@pytest.fixture
def many_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let sixty items count as a large pool."""
    monkeypatch.setattr(neighbours, "WHOLE", 50)
    monkeypatch.setattr(neighbours, "CHECKED", 20)


class Calls:
    """Counts the calls of a function, and dies at one of them."""

    def __init__(self, function: Callable[..., Any], die_at: int | None = None) -> None:
        self.function = function
        self.die_at = die_at
        self.count = 0

    def __call__(self, *arguments: Any) -> Any:
        if self.count == self.die_at:
            raise Killed
        self.count += 1
        return self.function(*arguments)


def made_anew(workspace: Workspace) -> tuple[Integers, Floats]:
    remove(workspace)
    make_graph(workspace)
    return np.array(workspace.neighbours.open()), np.array(workspace.cosines.open())


def remove(workspace: Workspace) -> None:
    for file in (workspace.neighbours, workspace.cosines):
        file.path.unlink()
        file.maker_path.unlink()


def exact(embeddings: Floats) -> Floats:
    rows = np.asarray(embeddings, dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -2)
    return -np.sort(-cosines, axis=1)[:, :NEIGHBOURS]


def test_proposing_finds_the_neighbours_and_selecting_shows_them(small_workspace: Open) -> None:
    workspace = small_workspace("proposed")

    found = workspace.graph

    assert found is not None
    assert found.neighbours.shape == found.cosines.shape == (60, NEIGHBOURS)
    assert found.neighbours.dtype == np.int32
    assert found.cosines.dtype == np.float16
    np.testing.assert_allclose(found.cosines, exact(workspace.embeddings.open()), atol=1e-3)
    assert workspace.neighbours.measured() == {"recall": 1.0}
    assert not workspace.graph_folder.exists()
    assert not make_graph(workspace)


def test_selectors_get_the_graph(small_workspace: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[SelectionView] = []

    class Looking(Auto):
        def select(self, view: SelectionView, k: int, rng: np.random.Generator) -> Selection:
            seen.append(view)
            return super().select(view, k, rng)

    monkeypatch.setattr(auto, "Auto", Looking)
    select(small_workspace("proposed"))

    assert seen[0].graph is not None
    assert seen[0].graph.neighbours.shape == (60, NEIGHBOURS)


def test_other_embeddings_have_no_graph_until_it_is_made(small_workspace: Open) -> None:
    workspace = small_workspace("proposed")
    np.save(workspace.embeddings.path, np.array(workspace.embeddings.open())[::-1])
    write_json(workspace.embeddings.maker_path, {"embedder": "another"})

    assert workspace.graph is None
    assert make_graph(workspace)
    assert workspace.graph is not None


@pytest.mark.usefixtures("many_lists")
@pytest.mark.parametrize(
    ("step", "done", "left"),
    [
        ("list_centres", 1, 2),
        ("nearest_centres", 0, 1),
        ("arrange_cuts", 0, 1),
        ("search_list", 3, 21),
        ("search_list", 11, 13),
        ("_in_pool_order", 0, 2),
        ("_in_pool_order", 1, 1),
    ],
)
def test_what_was_done_before_a_kill_is_not_done_again(
    small_workspace: Open, monkeypatch: pytest.MonkeyPatch, step: str, done: int, left: int
) -> None:
    workspace = small_workspace("proposed")
    whole = made_anew(workspace)
    remove(workspace)
    with monkeypatch.context() as patch:
        patch.setattr(module, step, Calls(getattr(module, step), die_at=done))
        with pytest.raises(Killed):
            make_graph(workspace)
    rest = Calls(getattr(module, step))
    monkeypatch.setattr(module, step, rest)

    assert workspace.graph is None
    assert make_graph(workspace)

    np.testing.assert_array_equal(workspace.neighbours.open(), whole[0])
    np.testing.assert_array_equal(workspace.cosines.open(), whole[1])
    assert rest.count == left


def test_copies_of_a_text_have_the_neighbours_of_the_first(
    new_workspace: Callable[..., Workspace],
) -> None:
    twins = [(f"twin-{i}", "The CAT slept  in its den all day.", "animals") for i in range(30)]
    workspace = new_workspace(extra=twins)
    propose(workspace)

    found, groups = workspace.graph, workspace.pool.groups
    assert found is not None
    assert found.neighbours.shape == (90, NEIGHBOURS)
    np.testing.assert_array_equal(found.neighbours, found.neighbours[groups])
    assert np.isin(found.neighbours, np.unique(groups)).all()
    assert not (groups[found.neighbours] == groups[:, None]).any()


def test_embeddings_that_are_not_finite_are_refused(small_workspace: Open) -> None:
    workspace = small_workspace("proposed")
    rows = np.array(workspace.embeddings.open())
    rows[7, 3] = np.nan
    np.save(workspace.embeddings.path, rows)
    write_json(workspace.embeddings.maker_path, workspace.embeddings.maker())  # as if made so
    remove(workspace)

    with pytest.raises(DataError, match="embedding of item 7"):
        make_graph(workspace)
