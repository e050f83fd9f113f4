"""A small workspace in which one item has many near-duplicates, made once and copied."""

import shutil
from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest

from hilt.pipeline.configuration.config import Config
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.workspace.workspace import Workspace, open_workspace

PARTS = ("in its den", "all day", "the cat slept")
# The words of the item cat-0 in other orders and with other signs.
COPIES = [
    (f"copy-{number}", sign.join(parts).capitalize() + end, "animals")
    for number, (parts, sign, end) in enumerate(
        (parts, sign, end)
        for parts in permutations(PARTS)
        for sign in (" ", ", ", "; ")
        for end in ("", "!")
    )
]
OTHERS = [
    ("other-0", "The cat never slept in its den all day.", "food"),
    ("other-1", "The dog slept in its den all night.", "animals"),
]

Copies = Callable[..., Workspace]


@pytest.fixture(scope="session")
def copies_folder(
    make_workspace_in: Callable[..., Workspace], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A proposed workspace of 98 items; `cat-0` has 36 near-duplicates. Copy, do not change."""
    folder = tmp_path_factory.mktemp("copies")
    workspace = make_workspace_in(folder, extra=[*COPIES, *OTHERS], audit=0)
    propose(workspace)
    workspace.database.close()
    return workspace.folder


@pytest.fixture
def copies(copies_folder: Path, tmp_path: Path) -> Copies:
    """Opens a copy of it with other settings of the section `duplicates`, and of `batch`."""

    def open_copy(*, batch: dict[str, object] | None = None, **duplicates: object) -> Workspace:
        folder = tmp_path / "copies"
        shutil.copytree(copies_folder, folder, dirs_exist_ok=True)
        workspace = open_workspace(folder)
        values = workspace.config.model_dump(exclude_unset=True)
        changed = {
            **values,
            "duplicates": duplicates,
            "batch": {**values["batch"], **(batch or {})},
        }
        return Workspace(folder, Config.model_validate(changed), workspace.device)

    return open_copy
