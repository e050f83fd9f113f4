"""The section of the configuration that names the task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from hilt.errors import ExtensionError
from hilt.own_code import blamed_on
from hilt.pipeline.configuration.section import Named
from hilt.registry import REBUILD, Registry
from hilt.review.answers.base import form_of
from hilt.review.screen.parts import part_of
from hilt.tasks.base import TASKS, Answers, RowMath, Task


class TaskSection(Named):
    """The shape of an answer."""

    registry: ClassVar[Registry] = TASKS

    kind: str = Field(
        description="`single`: exactly one of the labels per item. Or your own"
        " `package.module:Class`, which is called with the names of the labels and `settings`.",
    )

    def make(self, labels: Sequence[str]) -> Task:
        """Make the task.

        Args:
            labels: Their names, in their order.

        Raises:
            ExtensionError: If it is the user's own and cannot be built, or lacks something.
            UnknownNameError: If there is no such answer form, or part of the screen, as it names.
        """
        who = f"task {self.kind!r}"
        task: Task = TASKS.make(self.kind, who, self.settings, tuple(labels))
        if TASKS.is_own(self.kind):
            _check_parts(task, who)
        return task


def _check_parts(task: Task, who: str) -> None:
    """Make sure that a task of the user's own has all that it must, and names what there is."""
    with blamed_on(who, REBUILD):
        parts = (("answers", task.answers, Answers), ("rows", task.rows, RowMath))
    for name, part, protocol in parts:
        wanted = (each for each in vars(protocol) if not each.startswith("_"))
        lacking = next((each for each in wanted if not hasattr(part, each)), None)
        if lacking is not None:
            raise ExtensionError(
                f"{who}: its {name} have no {lacking}; `hilt.tasks.base.{protocol.__name__}` lists"
                " what they must have."
            )
    form_of(task)
    part_of(task)
