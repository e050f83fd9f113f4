"""What of the review screen is the task's: a template and a script of each stand in `tasks/`."""

from __future__ import annotations

from hilt.errors import UnknownNameError
from hilt.registry import nearest
from hilt.tasks.base import Task

PARTS = ("choice",)


def part_of(task: Task) -> str | None:
    """Say which part of the page is for a task; None where its answers come by file.

    Raises:
        UnknownNameError: If the task names a part that there is not.
    """
    if task.screen is not None and task.screen not in PARTS:
        raise UnknownNameError(
            f"The task {task.name!r} names the part {task.screen!r} of the review screen."
            f"{nearest(task.screen, PARTS)} Available: {', '.join(PARTS)}, or None."
        )
    return task.screen
