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


class Ray(RunnerSection):
    """Gives chunks of items to workers on a Ray cluster; see docs/scaling.md."""

    kind: Literal["ray"] = Field("ray", description="On a Ray cluster.")
    address: str | None = Field(
        None,
        description="`HOST:PORT` of a cluster, or `auto` for the one that this machine is a node"
        " of. It must ask for a token (RAY_AUTH_MODE=token). Unset: a cluster of this machine"
        " alone, for as long as a command runs.",
    )
    workers: int | None = Field(
        None,
        ge=1,
        description="Maximum number of workers. Unset: as many as the cluster has room for.",
    )
    threads: int | None = Field(
        None,
        ge=1,
        description="Processor cores of each worker. Unset: as many threads as hilt uses on this"
        " machine, so that nodes with the same processor give the same results, bit by bit.",
    )
    gpus: float = Field(
        0.0,
        ge=0,
        description="Graphics cards of each worker; 0.5 lets two workers share one.",
    )
    retries: int = Field(
        3,
        ge=0,
        description="How often items that were lost with their worker are given to another.",
    )


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
