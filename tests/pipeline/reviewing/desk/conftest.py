"""Desks over small made-up workspaces."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from hilt.pipeline.reviewing.desk.workspace_desk import WorkspaceDesk
from hilt.pipeline.reviewing.reviewers import add_reviewer
from hilt.pipeline.workspace.workspace import Workspace
from hilt.review.screen.protocol import Answer, Person
from hilt.values import value_of
from scripts.support.rehearsal import made_up_texts, rehearsal_workspace

NOTHING_DRAWN = {"blind_share": 0.0, "gold_share": 0.0, "bulk_check": 0.0}
Rehearse = Callable[..., Workspace]
AtDesk = Callable[[WorkspaceDesk], Coroutine[Any, Any, None]]


@pytest.fixture
def rehearse(tmp_path: Path) -> Iterator[Rehearse]:
    """Makes a workspace of so many items, or of these texts, with reviewers."""
    made: list[Workspace] = []

    def make(
        items: int = 12,
        people: tuple[str, ...] = ("ann", "bob"),
        texts: Sequence[str] = (),
        ready: bool = False,
        **review: Any,
    ) -> Workspace:
        folder = tmp_path / str(len(made))
        settings = NOTHING_DRAWN | review
        workspace = rehearsal_workspace(
            folder,
            texts or made_up_texts(items),
            ready=ready,
            duplicates={"near": False},
            review=settings,
        )
        for name in people:
            add_reviewer(workspace, name)
        made.append(workspace)
        return workspace

    yield make
    for workspace in made:
        workspace.database.close()


def at_desk(workspace: Workspace, work: AtDesk) -> None:
    """Start a desk, do some work at it, and stop it."""

    async def day() -> None:
        desk = WorkspaceDesk(workspace)
        await desk.start()
        try:
            await work(desk)
        finally:
            await desk.stop()

    asyncio.run(day())


def person(desk: WorkspaceDesk, name: str) -> Person:
    found = desk.person(name)
    assert found is not None
    return found


def says(item: int, label: str = "tech", *, by: str = "ann", **fields: Any) -> Answer:
    return Answer(key=f"{by}-{item:06d}", item=item, act="label", value=value_of(label), **fields)
