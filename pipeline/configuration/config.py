"""What a user may write in a configuration, one model a section.

The description of a field is the only documentation of that option; `hilt config --explain`
prints them all. Reading a file, with line numbers in its errors, is in `reading.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from hilt.errors import ExtensionError, UnknownNameError
from hilt.extras import pip_install
from hilt.pipeline.configuration.embedder import Embedder
from hilt.pipeline.configuration.medium import (
    MediumSection,
    check_columns,
    check_serves,
)
from hilt.pipeline.configuration.paths import DATABASE
from hilt.pipeline.configuration.proposer_kinds import AnyProposer, ZeroShot
from hilt.pipeline.configuration.review import Review
from hilt.pipeline.configuration.runner import AnyRunner, Local
from hilt.pipeline.configuration.section import Section, wrong_inside
from hilt.pipeline.configuration.selector_kinds import AnySelector, Auto
from hilt.pipeline.configuration.source import Source, TestSource
from hilt.pipeline.configuration.student import FIRST, STUDENTS, StudentSection
from hilt.pipeline.configuration.task import TaskSection
from hilt.proposers.base import EMBEDDERS, PROPOSERS
from hilt.reading.values import encodable
from hilt.registry import nearest
from hilt.selectors.base import SELECTORS
from hilt.tasks.base import Task
from hilt.types import Integers, Label


class BatchSection(Section):
    """The items that people are asked about in one cycle."""

    size: int = Field(25, ge=1, description="Items in a batch, the audit slice included.")
    minutes: float | None = Field(
        None,
        gt=0,
        description="Instead of `size`: pick as many items as fit into this many minutes of review,"
        " estimated from the time that earlier decisions took.",
    )
    audit: float = Field(
        0.15,
        ge=0,
        le=1,
        description="Share of every batch that is drawn uniformly from the whole pool and shown"
        " blind. Only these items measure accuracy.",
    )
    recheck: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Maximum share of a batch that asks again about labels of people that are"
        " probably wrong, instead of new items that would gain less.",
    )
    near_duplicate: float = Field(
        0.95,
        gt=0,
        le=1,
        description="Two items with at least this cosine are put into one batch only if no other"
        " items are left.",
    )
    candidates: int = Field(
        3, ge=1, description="Number of labels to show with an item, the likeliest first."
    )

    @model_validator(mode="after")
    def _check(self) -> BatchSection:
        if self.minutes is not None and "size" in self.model_fields_set:
            raise ValueError("`batch` has a `size` and `minutes`; take one of them out")
        return self


class Duplicates(Section):
    """Items so alike that one decision does for all of them."""

    near: bool = Field(
        True,
        description="Whether nearly identical texts form a group, of which only one item is asked."
        " Texts that only differ in case, width and white space always do.",
    )
    cosine: float = Field(
        0.9,
        gt=0,
        le=1,
        description="Minimum cosine between the embeddings of an item and of its group's"
        " representative.",
    )
    overlap: float = Field(
        0.6,
        gt=0,
        le=1,
        description="How many words two texts must have in common. The first 30 must all match, so"
        " shorter texts need exactly the same words; of the words beyond, at least this share must"
        " match.",
    )
    audited: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Share of the items with an inherited label that are asked anyway, blind, to"
        " measure how often inherited labels are right. They are at most this share of a"
        " batch.",
    )


class Simulation(Section):
    """A stand-in for the person, for demos and benchmarks."""

    error_rate: float = Field(0.0, ge=0, le=1, description="Share of its answers that are wrong.")
    seconds: float = Field(5.0, ge=0, description="Seconds that it reports per item.")
    seconds_per_character: float = Field(
        0.0, ge=0, description="Seconds that it adds per character of the text."
    )
    seconds_noise: float = Field(
        0.0,
        ge=0,
        description="Standard deviation of the logarithm of its seconds: at 0.5, a third of the"
        " items take less than 0.6 or more than 1.6 times as long.",
    )


def _as_labels(value: Any) -> Any:  # noqa: ANN401 - anything may stand in a file
    """Let a list of names stand for labels that describe themselves; refuse what is no name."""
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        seen = set[str]()
        for place, name in enumerate(value):
            _check_label(name, place)
            if name in seen:
                raise wrong_inside(f"label {name[:60]!r} is listed twice", place)
            seen.add(name)
        return {name: name.replace("_", " ").replace("-", " ") for name in value}
    if isinstance(value, dict):
        for name in value:
            _check_label(name, name)
    return value


def _check_label(name: Any, step: str | int) -> None:  # noqa: ANN401 - any key of a mapping
    if not isinstance(name, str):
        return  # which the field's own type refuses
    if not name.strip():
        raise wrong_inside("a label's name is empty", step)
    if "\0" in name or not encodable(name):
        raise wrong_inside(
            f"label {name[:60]!r} contains half of a surrogate pair or a NUL, which no"
            " database can store",
            step,
        )


class Config(Section):
    """One labelling project."""

    task: TaskSection = Field(
        TaskSection(kind="single"),
        description="The shape of an answer; the name of a task works too. `single`: exactly one of"
        " the labels per item.",
    )
    medium: MediumSection = Field(
        MediumSection(kind="text"),
        description="What an item is; the name of a medium works too. `text`: one text.",
    )
    pool: Source = Field(description="The items to label.")
    test: TestSource | None = Field(
        None,
        description="Labelled items to measure on; they are never selected and never trained on."
        " Without them, accuracy is measured on the audit slices alone.",
    )
    labels: Annotated[dict[str, str], BeforeValidator(_as_labels)] = Field(
        min_length=2,
        description="The labels, each with a sentence that says what it means; proposers read it. A"
        " plain list of names works too.",
    )
    language: str | None = Field(
        None,
        pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]+)*$",
        description="The language of the texts, such as `en`, for the cards of a release.",
    )
    embedder: Embedder = Field(
        default_factory=Embedder, description="The encoder, which turns every text into a vector."
    )
    proposers: tuple[AnyProposer, ...] = Field(
        (ZeroShot(),),
        min_length=1,
        description="The proposers, which propose labels before there is a student, and beside it.",
    )
    selector: AnySelector = Field(
        Auto(), description="The selector, which picks the items that people should see."
    )
    batch: BatchSection = Field(
        default_factory=BatchSection,
        description="The items that people are asked about in one cycle.",
    )
    review: Review = Field(default_factory=Review, description="The review screen.")
    duplicates: Duplicates = Field(
        default_factory=Duplicates,
        description="Which items are duplicates: one decision holds for all of them.",
    )
    student: StudentSection = Field(
        default_factory=StudentSection, description="The model that is trained on the labels."
    )
    simulation: Simulation = Field(
        default_factory=Simulation, description="The simulated reviewer of demos and benchmarks."
    )
    database: Annotated[str | None, DATABASE] = Field(
        None,
        description="The database of batches and decisions, as an SQLAlchemy URL such as"
        f" `postgresql://user@host/name` (a separate database; {pip_install('postgresql')};"
        " rather put a password into PGPASSWORD or ~/.pgpass). The path of `sqlite:///PATH`"
        " is relative to the folder of the configuration. Unset: the file state.db in the"
        " workspace.",
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = Field(
        "auto", description="Where models run. `--device` overrides it."
    )
    runner: AnyRunner = Field(
        Local(),
        description="Where the work on each item is done: embedding, proposing, predicting."
        " Nothing is made again when it changes.",
    )
    seed: int = Field(0, ge=0, description="The seed of every random draw.")

    @model_validator(mode="after")
    def _check(self) -> Config:
        medium, task = self.medium.make(), self._made_task()
        check_serves(EMBEDDERS, self.embedder.kind, medium, task, "embedder")
        for place, each in enumerate(self.proposers):
            check_serves(PROPOSERS, each.kind, medium, task, "proposers", place)
        within: Any = self.selector
        places = ["selector"]
        while within is not None:
            check_serves(SELECTORS, within.kind, medium, task, *places)
            within, places = getattr(within, "of", None), [*places, "of"]
        student = self.student.kind if self.student.kind in STUDENTS else FIRST
        check_serves(STUDENTS, student, medium, task, "student")
        check_columns(self.pool, medium, "pool")
        if self.test is not None:
            check_columns(self.test, medium, "test")
        for name in self.review.guidelines:
            if name not in self.labels:
                hint = nearest(name, self.labels)
                steps = ("review", "guidelines", name)
                raise wrong_inside(
                    f"review.guidelines: {name[:60]!r} is not a label.{hint}", *steps
                )
        return self

    def _made_task(self) -> Task:
        """Make the task; what is wrong with its class gets the line of the section."""
        try:
            return self.task.make(self.label_names)
        except (ExtensionError, UnknownNameError) as error:
            raise wrong_inside(str(error), "task") from error

    @property
    def label_list(self) -> tuple[Label, ...]:
        """The labels in their order; a label without a description is described by its name."""
        return tuple(
            Label(name, description.strip() or name) for name, description in self.labels.items()
        )

    @property
    def label_names(self) -> tuple[str, ...]:
        """The names of the labels in their order."""
        return tuple(self.labels)

    def positions_of(self, names: Sequence[str]) -> Integers:
        """Turn names of labels into their positions."""
        place = {name: position for position, name in enumerate(self.labels)}
        return np.array([place[name] for name in names], dtype=np.int64)
