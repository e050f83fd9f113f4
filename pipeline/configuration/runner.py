"""What a user may write about the runner, one model a kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from hilt.pipeline.configuration.section import Custom, Section, any_of
from hilt.pipeline.runners.base import RUNNERS


class RunnerSection(Section):
    """What every runner has; each class below is one that a user may choose."""

    kind: str

    @property
    def built_with(self) -> dict[str, Any]:
        """What the class is called with."""
        return self.model_dump(exclude={"kind"})


class Local(RunnerSection):
    """Does the work in this process."""

    kind: Literal["local"] = Field("local", description="In this process.")


class CustomRunner(Custom, RunnerSection):
    """A class of your own with `map`, or one that another package registers."""

    @property
    def built_with(self) -> dict[str, Any]:
        """What the class is called with."""
        return self.settings


def _as_section(value: Any) -> Any:  # noqa: ANN401 - anything may stand in a file
    return {"kind": value} if isinstance(value, str) else value


if TYPE_CHECKING:
    AnyRunner = RunnerSection
else:
    AnyRunner = Annotated[
        any_of(RunnerSection, CustomRunner, RUNNERS), BeforeValidator(_as_section)
    ]
