"""What a benchmark compares: hilt's loop with some selector, run once for each seed."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hilt.errors import WorkspaceError
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.reviewing.answer_files import simulate
from hilt.pipeline.selecting.batches import select
from hilt.pipeline.training.train import train
from hilt.pipeline.workspace.database import Database
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.training_summary import TrainingSummary
from hilt.pipeline.workspace.workspace import Workspace, open_workspace

SHARED = ("pool", "test", "proposals", "test-proposals")
SHARED_FILES = (
    "embeddings",
    "test-embeddings",
    "neighbours",
    "cosines",
    "near-duplicates",
    "fused",
)
STATE = "state.db"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """One seed of one arm.

    Attributes:
        arm: `hilt` for the configured selector, `setfit`, `plain`, or the name of a selector.
        at: Label counts at which to train and measure, ascending.
        base: The workspace whose pool and arrays are shared.
        folder: Where this run works; it may go on from what it left there.
        device: Where models run.
        state: Where the database is kept as it was before the last training, so that a run to
            more labels goes on from there; None to keep nothing.
        done: Label counts that need no measuring, because they were measured before.
    """

    arm: str
    seed: int
    at: tuple[int, ...]
    base: Path
    folder: Path
    device: str
    state: Path | None = None
    done: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """What to call its files."""
        return f"{self.arm}-{self.seed}"


@dataclass
class Stopwatch:
    """Takes the time from one measurement to the next."""

    clock: float = field(default_factory=time.monotonic)
    processor: float = field(default_factory=time.process_time)

    def lap(self) -> dict[str, float]:
        """Give the seconds since the last lap: by the clock, and of one core."""
        clock, processor = time.monotonic(), time.process_time()
        passed = {
            "seconds": round(clock - self.clock, 2),
            "core_seconds": round(processor - self.processor, 2),
        }
        self.clock, self.processor = clock, processor
        return passed


def run_loop(run: Run) -> Iterator[Row]:
    """Turn the loop with the simulated reviewer, and measure after every training."""
    watch = Stopwatch()
    base = open_workspace(run.base)
    selector = base.config.selector.model_dump() if run.arm == "hilt" else {"kind": run.arm}
    changes = {"seed": run.seed, "selector": selector}
    workspace = branch(base, run.folder, changes, device=run.device, state=run.state)
    with closing(workspace.database):
        trained = {t.summary.decisions: t.summary for t in workspace.database.trainings()}
        for labels in run.at:
            if labels not in trained:
                _label_until(workspace, labels)
                if labels == run.at[-1] and run.state is not None:
                    _keep(run.folder / STATE, run.state)
                trained[labels] = train(workspace).summary
            if labels not in run.done:
                yield _row(trained[labels], watch)


def branch(
    base: WorkspaceFiles,
    folder: Path,
    changes: dict[str, Any],
    *,
    device: str | None = None,
    state: Path | None = None,
) -> Workspace:
    """Make a workspace of the same pool that shares every array and has no decisions yet.

    Args:
        base: Where the pool and the proposals are.
        folder: Where the new one goes; opened as it is when it is there already.
        changes: Sections of the configuration that differ.
        device: Where models run.
        state: A database of such a workspace to begin with, instead of an empty one, if there.
    """
    if not (folder / "hilt.yaml").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in SHARED:
            if (base.folder / name).exists():
                shutil.copytree(base.folder / name, folder / name, copy_function=_link)
        for name in SHARED_FILES:
            for path in base.folder.glob(f"{name}.*"):
                _link(path, folder / path.name)
        if state is not None and state.exists():
            shutil.copy2(state, folder / STATE)
        with closing(Database(folder / STATE)) as store:
            config = base.config
            store.create(
                base.pool.fingerprint,
                config.label_names,
                task=config.task.kind,
                medium=config.medium.kind,
            )
        values = base.config.model_dump(mode="json", exclude_unset=True) | changes
        text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
        (folder / "hilt.yaml").write_text(text, encoding="utf-8")
    return open_workspace(folder, device=device)


def _label_until(workspace: Workspace, count: int) -> None:
    """Let the simulated reviewer answer batches until there are `count` answers."""
    while (left := count - len((state := LoopState.read(workspace)).decisions)) > 0:
        batch = state.open_batch
        if batch is None:
            if state.trainings and workspace.config.selector.reads_proposals:
                propose(workspace)
            batch = select(workspace, left)
            if not len(batch):
                raise WorkspaceError(
                    f"Nothing is left to ask after {count - left} labels, because near-duplicates"
                    f" are not asked; the budget is {count}: lower it."
                )
        simulate(workspace, batch)


def _row(summary: TrainingSummary, watch: Stopwatch) -> Row:
    assert summary.test is not None
    student, fused = summary.test["student"], summary.test["fused"]
    return {
        "labels": summary.decisions,
        "accuracy": student["accuracy"],
        "macro_f1": student["macro_f1"],
        "review_seconds": summary.review_seconds,
        "fused_accuracy": fused["accuracy"],
        "fused_macro_f1": fused["macro_f1"],
        "kind": summary.kind,
        **watch.lap(),
    }


def _keep(database: Path, place: Path) -> None:
    """Copy a database that is in use."""
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = place.with_name(place.name + ".tmp")
    temporary.unlink(missing_ok=True)
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(temporary)) as copy:
        source.backup(copy)
    temporary.replace(place)


def _link(source: str | Path, target: str | Path) -> None:
    """Share a file where the file system can, and copy it elsewhere."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
