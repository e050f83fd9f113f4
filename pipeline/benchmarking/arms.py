"""What a benchmark compares, each arm as a function that runs one seed of it."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from hilt.errors import WorkspaceError
from hilt.pipeline.batches import open_batch, select
from hilt.pipeline.configuration.sections import Config
from hilt.pipeline.cycle import labelled_test, train
from hilt.pipeline.measure import measure
from hilt.pipeline.proposing import propose
from hilt.pipeline.random_streams import Stream, generator
from hilt.pipeline.reviewing import simulate, simulated_reviewer
from hilt.pipeline.store import Store
from hilt.pipeline.workspace import Workspace, open_workspace
from hilt.types import Integers

PLAIN_REGULARISATION = 10.0
PLAIN_GROWTH = 1.5  # beyond the budget the plain arm goes on by this factor, up to the whole pool
SHARED = ("pool", "test", "proposals", "test-proposals")
SHARED_FILES = (
    "embeddings",
    "test-embeddings",
    "neighbours",
    "cosines",
    "near-duplicates",
    "fused",
)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """One seed of one arm.

    Attributes:
        arm: `hilt` for the configured selector, `plain`, or the name of a selector.
        at: Label counts at which to train and measure, ascending.
        base: The workspace whose pool and arrays are shared.
        folder: Where this run works; it may go on from what it left there.
        device: Where models run.
    """

    arm: str
    seed: int
    at: tuple[int, ...]
    base: Path
    folder: Path
    device: str

    @property
    def name(self) -> str:
        """What to call its files."""
        return f"{self.arm}-{self.seed}"


def run_loop(run: Run) -> list[Row]:
    """Turn the loop with the simulated reviewer, and measure after every training."""
    base = open_workspace(run.base)
    selector = base.config.selector.model_dump() if run.arm == "hilt" else {"kind": run.arm}
    changes = {"seed": run.seed, "selector": selector}
    workspace = branch(base, run.folder, changes, device=run.device)
    for labels in run.at:
        _label_until(workspace, labels)
        train(workspace)
    rows = {t.summary["decisions"]: _row(t.summary) for t in workspace.store.trainings()}
    workspace.store.close()
    return [rows[labels] for labels in sorted(rows)]


def run_plain(run: Run) -> list[Row]:
    """Do what a user does without hilt: random labels, logistic regression on the embeddings."""
    from sklearn.linear_model import LogisticRegression

    workspace = open_workspace(run.base)
    key = workspace.pool.answer_key(workspace.config.label_names)
    test, positions = labelled_test(workspace)
    rng = generator(run.seed, Stream.PLAIN)
    order = rng.permutation(np.flatnonzero(key >= 0))
    seconds = np.cumsum(_review_seconds(workspace, order))
    embeddings = workspace.embeddings.open()
    rows = []
    for count in _beyond(run.at, len(order)):
        started = time.monotonic()
        chosen = np.sort(order[:count])
        probabilities = np.zeros((len(positions), len(workspace.config.labels)))
        known = np.unique(key[chosen])
        if len(known) == 1:
            probabilities[:, known] = 1
        else:
            model = LogisticRegression(C=PLAIN_REGULARISATION, max_iter=1000)
            model.fit(embeddings[chosen].astype(np.float32), key[chosen])
            probabilities[:, known] = model.predict_proba(np.asarray(test.embeddings, np.float32))
        found = measure(probabilities, positions)
        rows.append(
            {
                "labels": count,
                "accuracy": found.accuracy,
                "macro_f1": found.macro_f1,
                "review_seconds": float(seconds[count - 1]),
                "kind": "plain",
                "seconds": time.monotonic() - started,
            }
        )
    return rows


def branch(
    workspace: Workspace, folder: Path, changes: dict[str, Any], *, device: str | None = None
) -> Workspace:
    """Make a workspace of the same pool that shares every array and has no decisions yet.

    Args:
        workspace: Where the pool and the proposals are.
        folder: Where the new one goes; opened as it is when it is there already.
        changes: Sections of the configuration that differ.
        device: Where models run.
    """
    if not (folder / "hilt.yaml").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in SHARED:
            if (workspace.folder / name).exists():
                shutil.copytree(workspace.folder / name, folder / name, copy_function=_link)
        for name in SHARED_FILES:
            for path in workspace.folder.glob(f"{name}.*"):
                _link(path, folder / path.name)
        store = Store(folder / "state.db")
        store.create(workspace.pool.fingerprint, workspace.config.label_names)
        store.close()
        values = workspace.config.model_dump(mode="json", exclude_unset=True) | changes
        text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
        (folder / "hilt.yaml").write_text(text, encoding="utf-8")
    return open_workspace(folder, device=device)


def check_runnable(config: Config) -> None:
    """Make sure that there is an answer key and something to measure on.

    Raises:
        WorkspaceError: If `pool.label` or `test` is missing.
    """
    if config.test is None or config.pool.label is None:
        missing = "`test`" if config.test is None else "`pool.label`"
        raise WorkspaceError(
            f"A benchmark needs an answer key, and the configuration has no {missing}; name the"
            " column with the true labels as `pool.label`, and a labelled file as `test`."
        )


def _label_until(workspace: Workspace, count: int) -> None:
    """Let the simulated reviewer answer batches until there are `count` answers."""
    while (left := count - len(workspace.store.decisions())) > 0:
        batch = open_batch(workspace)
        if batch is None:
            if workspace.store.trainings() and workspace.config.selector.kind != "random":
                propose(workspace)  # chance alone needs no proposals of the student
            batch = select(workspace, left)
            if not len(batch):
                raise WorkspaceError(
                    f"Nothing is left to ask after {count - left} labels, for a near-duplicate is"
                    f" not asked; the budget is {count}: lower it."
                )
        simulate(workspace, batch)


def _row(summary: dict[str, Any]) -> Row:
    student, fused = summary["test"]["student"], summary["test"]["fused"]
    return {
        "labels": summary["decisions"],
        "accuracy": student["accuracy"],
        "macro_f1": student["macro_f1"],
        "review_seconds": summary["review_seconds"],
        "fused_accuracy": fused["accuracy"],
        "fused_macro_f1": fused["macro_f1"],
        "kind": summary["kind"],
        "seconds": summary["seconds"],
    }


def _review_seconds(workspace: Workspace, indices: Integers) -> list[float]:
    """Say how long the simulated reviewer takes for some items, in their order."""
    reviewer, items = simulated_reviewer(workspace), workspace.pool.items(indices)
    return [
        reviewer.seconds_for(item_id, text)
        for item_id, text in zip(items.ids, items.texts, strict=True)
    ]


def _beyond(at: tuple[int, ...], n_items: int) -> list[int]:
    """Go on from the last label count by a factor until the whole pool is labelled."""
    counts = [count for count in at if count < n_items]
    while counts and counts[-1] < n_items:
        counts.append(min(round(counts[-1] * PLAIN_GROWTH), n_items))
    return counts or [n_items]


def _link(source: str | Path, target: str | Path) -> None:
    """Share a file where the file system can, and copy it elsewhere."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
