"""The section of the configuration that names the task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_serializer, model_validator

from hilt.pipeline.configuration.section import Custom, known_in
from hilt.tasks.base import TASKS, Task


class TaskSection(Custom):
    """The shape of an answer."""

    kind: str = Field(
        description="`single`: exactly one of the labels per item. Or your own"
        " `package.module:Class`, which is called with the names of the labels and `settings`.",
    )

    @model_validator(mode="after")
    def _check(self) -> TaskSection:
        if self.settings and not TASKS.is_own(self.kind):
            raise ValueError(f"the task {self.kind!r} has no settings; take them out")
        return self

    @model_serializer(mode="plain")
    def _written(self) -> str | dict[str, Any]:
        """Write a task without settings as its name."""
        return {"kind": self.kind, "settings": self.settings} if self.settings else self.kind

    def make(self, labels: Sequence[str]) -> Task:
        """Make the task.

        Args:
            labels: Their names, in their order.

        Raises:
            ExtensionError: If it is the user's own and cannot be built, or lacks something.
        """
        task: Task = TASKS.make(self.kind, f"task {self.kind!r}", self.settings, tuple(labels))
        return task


def _as_task(value: Any) -> Any:  # noqa: ANN401 - anything may stand in a file
    """Let the name of a task stand for one without settings."""
    return {"kind": value} if isinstance(value, str) else value


AnyTask = Annotated[TaskSection, BeforeValidator(_as_task), known_in(TASKS)]
