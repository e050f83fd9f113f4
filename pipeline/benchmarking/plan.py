"""What a benchmark runs: which arms, at which label counts, how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hilt.errors import ConfigError, WorkspaceError
from hilt.figures import counted
from hilt.pipeline.benchmarking.ceiling import full_kinds
from hilt.pipeline.benchmarking.random_labels import check_setfit
from hilt.pipeline.configuration.config import Config
from hilt.pipeline.configuration.student import STUDENTS
from hilt.pipeline.students.linear import LinearStudent
from hilt.selectors.base import SELECTORS

OWN_ARMS = ("hilt", "setfit", "plain")


@dataclass(frozen=True, slots=True)
class BenchmarkPlan:
    """What a benchmark runs.

    Attributes:
        arms: `hilt`, `setfit`, `plain`, and names of selectors, in the order in which they are
            reported.
        at: Label counts at which every arm trains and is measured.
        seeds: How many; the first is the configuration's.
        processes: How many runs go on at one time.
        ceiling: Kinds of student to train on every label; all that the configuration may use when
            empty.
        fewer_seeds: By arm, where it has fewer than `seeds`.
    """

    arms: tuple[str, ...]
    at: tuple[int, ...]
    seeds: int
    processes: int
    ceiling: tuple[str, ...] = ()
    fewer_seeds: Mapping[str, int] = field(default_factory=dict)

    def seeds_of(self, arm: str) -> int:
        """Say how often an arm is run."""
        return self.fewer_seeds.get(arm, self.seeds)

    def ceilings(self, config: Config) -> tuple[str, ...]:
        """List the kinds of student that are trained on every label."""
        return self.ceiling or full_kinds(config.student)


def check_plan(plan: BenchmarkPlan) -> None:
    """Make sure that a plan can be run.

    Raises:
        ConfigError: If label counts or numbers are out of range.
        UnknownNameError: If an arm is neither `hilt`, `setfit`, `plain` nor a selector.
    """
    for arm in plan.arms:
        if arm not in OWN_ARMS:
            SELECTORS.load(arm)
    for kind in plan.ceiling:
        STUDENTS.load(kind)
    if len(set(plan.arms)) < len(plan.arms):
        raise ConfigError(f"--arms names an arm twice: {', '.join(plan.arms)}.")
    _check_numbers(plan)


def _check_numbers(plan: BenchmarkPlan) -> None:
    if not plan.at or list(plan.at) != sorted(set(plan.at)) or plan.at[0] < 1:
        raise ConfigError(f"Label counts must increase from 1 on, but are {list(plan.at)}.")
    if plan.seeds < 1 or plan.processes < 1:
        raise ConfigError(
            f"--seeds is {plan.seeds} and --processes {plan.processes}; both must be at least 1."
        )
    for arm, seeds in plan.fewer_seeds.items():
        if not 1 <= seeds <= plan.seeds:
            raise ConfigError(
                f"--arms has {arm}:{seeds}, but --seeds is {plan.seeds}; write a number from 1 to"
                f" {plan.seeds} after the colon, or {arm} alone."
            )


def check_runnable(config: Config, plan: BenchmarkPlan) -> None:
    """Make sure that there is an answer key, something to measure on, and what the arms need.

    Raises:
        WorkspaceError: If `pool.label` or `test` is missing.
        ConfigError: If the task, or an arm, cannot be run with this configuration.
    """
    if config.test is None or config.pool.label is None:
        missing = "`test`" if config.test is None else "`pool.label`"
        raise WorkspaceError(
            f"A benchmark needs an answer key, and the configuration has no {missing}; name the"
            " column with the true labels as `pool.label`, and a labelled file as `test`."
        )
    task = config.task.make(config.label_names)
    if not STUDENTS.serves(LinearStudent.kind, tasks=task.layout):
        raise ConfigError(
            f"A benchmark needs answers that are one label each, but the task is {task.name!r};"
            " simulate the loop with `hilt export --simulated` and `hilt import` instead."
        )
    if "setfit" in plan.arms:
        check_setfit(config)


def check_budget(plan: BenchmarkPlan, n_items: int) -> None:
    """Make sure that there are as many items as the budget has labels.

    Raises:
        ConfigError: If there are fewer.
    """
    if plan.at[-1] > n_items:
        raise ConfigError(
            f"The budget is {plan.at[-1]} labels, but the pool has {counted(n_items, 'item')};"
            " lower --budget."
        )
