"""The section of the configuration that names the task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from hilt.pipeline.configuration.section import Named
from hilt.registry import Registry
from hilt.tasks.base import TASKS, Task


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
        """
        task: Task = TASKS.make(self.kind, f"task {self.kind!r}", self.settings, tuple(labels))
        return task
