"""The section of the configuration that names the medium."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, model_validator

from hilt.errors import ConfigError, ExtensionError
from hilt.media.base import MEDIA, Medium, make_medium
from hilt.media.text import TEXT
from hilt.pipeline.configuration.section import Named, wrong_inside
from hilt.pipeline.configuration.source import Source
from hilt.registry import Registry, nearest
from hilt.tasks.base import Task
from hilt.tasks.single import Single


class MediumSection(Named):
    """What an item is."""

    registry: ClassVar[Registry] = MEDIA

    kind: str = Field(
        description="`text`: one text. Or your own `package.module:Class`, which is called with"
        " `settings`.",
    )

    @model_validator(mode="after")
    def _has_columns(self) -> MediumSection:
        try:
            self.make()
        except ExtensionError as error:
            raise ValueError(str(error)) from error
        return self

    def make(self) -> Medium:
        """Make the medium.

        Raises:
            ExtensionError: If it is the user's own and cannot be built.
        """
        return make_medium(self.kind, self.settings)


def check_serves(
    registry: Registry, kind: str, medium: Medium, task: Task, *steps: str | int
) -> None:
    """Make sure that a kind serves the medium and the task.

    Args:
        registry: Of what it is a kind.
        kind: Its name.
        medium: What items are.
        task: What answers are.
        steps: Where its section stands in the configuration.

    Raises:
        PydanticCustomError: If it does not; it says which kinds would.
    """
    usual = medium.name == TEXT.name and task.layout == Single.layout
    if usual and not registry.is_own(kind):
        return  # all that hilt brings serves these; to look would import what takes seconds
    who = f"{registry.what.capitalize()} {kind!r}"
    try:
        registry.check_serves(kind, who, media=medium.name, tasks=task.layout)
    except ConfigError as error:
        raise wrong_inside(str(error), *steps, "kind") from error


def check_columns(source: Source, medium: Medium, section: str) -> None:
    """Make sure that a source names columns of the medium only.

    Args:
        source: Where items come from.
        medium: What they are.
        section: What the source is called in the configuration.

    Raises:
        PydanticCustomError: If it names another.
    """
    if "text" in source.model_fields_set and "text" not in medium.columns:
        raise wrong_inside(
            f"{section}.text: the medium {medium.name!r} has no text; name its columns under"
            f" `columns`: {', '.join(medium.columns)}",
            section,
            "text",
        )
    for name in source.columns:
        if name not in medium.columns:
            hint = nearest(name, medium.columns)
            raise wrong_inside(
                f"{section}.columns: the medium {medium.name!r} has no column {name[:60]!r}.{hint}"
                f" It has: {', '.join(medium.columns)}",
                section,
                "columns",
                name,
            )
