"""What a user leaves with: the labelled dataset, the student, and a card for each."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from hilt.outputs import output_folder
from hilt.pipeline.arrays import blocks
from hilt.pipeline.duplicates.inheriting import check, inherit, settled_groups
from hilt.pipeline.outcomes import Outcome, standing
from hilt.pipeline.proposing import latest_training
from hilt.pipeline.students.saved import OUT_OF_FOLD
from hilt.pipeline.tables import TrainingRow
from hilt.pipeline.workspace import Workspace

BLOCK_ROWS = 16384
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("text", pa.string()),
        ("label", pa.string()),
        ("given_by", pa.string()),
        ("source", pa.string()),
        ("inherited_from", pa.string()),
        ("probability", pa.float32()),
        ("proposal", pa.string()),
        ("audit", pa.bool_()),
        ("decisions", pa.int32()),
        ("decided_at", pa.timestamp("us", tz="UTC")),
    ]
)


@dataclass(frozen=True, slots=True)
class ReleaseResult:
    """What a release holds.

    Attributes:
        folder: Where it is.
        items: Rows of the dataset.
        human: Rows whose label a person gave.
        inherited: Rows whose label a person gave to a near-duplicate.
        oracle: Rows whose label a proposer gave when a batch was reviewed (`hilt oracle`).
        machine: Rows whose label the fused proposal gave.
        unlabelled: Rows that people skipped or flagged, or without a text, so that they have none.
        without_text: Rows of those without a text.
        student: Folder of the student, None before the first training.
    """

    folder: Path
    items: int
    human: int
    inherited: int
    oracle: int
    machine: int
    unlabelled: int
    without_text: int
    student: Path | None


def release(workspace: Workspace, folder: Path | str, *, force: bool = False) -> ReleaseResult:
    """Write the dataset, the student and their cards into a new folder.

    A person's label always wins, then the one that a person gave to a near-duplicate, then what a
    proposer answered in a batch; every other item gets the likeliest label of the fused proposal,
    with its probability; an item that people skipped or flagged, or without a text, gets
    none.

    Args:
        workspace: What to release.
        folder: Where to: new, empty, or an earlier release that nobody changed.
        force: Move what is there to NAME.bak-1, if hilt wrote it.

    Raises:
        WorkspaceError: If there are no proposals yet.
        OutputError: If the folder is taken, or cannot be written.
    """
    folder = Path(folder)
    with (
        workspace.locked(),
        output_folder(folder, "release", force=force, note=workspace.progress.note) as temporary,
    ):
        workspace.required(workspace.fused, "propose")
        training = latest_training(workspace)
        counts = _write_dataset(workspace, temporary, training)
        _write_student(workspace, temporary, training)
        _write_cards(workspace, temporary, training, counts)
    return ReleaseResult(
        folder=folder,
        items=sum(counts.values()),
        human=counts["person"],
        inherited=counts["inherited"],
        oracle=counts["oracle"],
        machine=counts["machine"],
        unlabelled=counts["none"],
        without_text=len(workspace.pool.empty),
        student=None if training is None else folder / "student",
    )


def _write_dataset(
    workspace: Workspace, folder: Path, training: TrainingRow | None
) -> dict[str, int]:
    """Write Parquet and CSV side by side, a block at a time, and count the sources."""
    counts = {"person": 0, "inherited": 0, "oracle": 0, "machine": 0, "none": 0}
    machine = f"fused proposal of cycle {0 if training is None else training.cycle}"
    with (
        pq.ParquetWriter(folder / "dataset.parquet", SCHEMA) as parquet,
        pa_csv.CSVWriter(folder / "dataset.csv", SCHEMA) as table,
    ):
        for block in _dataset_blocks(workspace, machine):
            parquet.write_table(block)
            table.write_table(block)
            for entry in block.column("source").value_counts().to_pylist():
                counts[entry["values"]] += entry["counts"]
    return counts


def _dataset_blocks(workspace: Workspace, machine: str) -> Iterator[Any]:
    resolved = workspace.outcomes()
    outcomes = {outcome.index: outcome for outcome in resolved}
    inherited = inherit(settled_groups(workspace, resolved), resolved)
    origins = dict(zip(inherited.indices.tolist(), inherited.origins, strict=True))
    told: dict[int, list[datetime]] = {}
    for row in standing(workspace.store.decisions()):
        if not row.machine:
            told.setdefault(row.item_index, []).append(row.decided_at)
    empty = workspace.pool.empty
    fused = workspace.fused.open()
    names = np.array(workspace.config.label_names, dtype=object)
    for block in blocks(len(fused), BLOCK_ROWS):
        probabilities = fused[block].astype(np.float32)
        proposed = probabilities.argmax(axis=1)
        without = np.isin(np.arange(block.start, block.stop), empty)
        rows = [
            WITHOUT_TEXT
            if without[index - block.start]
            else _provenance(outcomes.get(index), origins.get(index), names[place], machine)
            for index, place in enumerate(proposed, start=block.start)
        ]
        times = [told.get(index, []) for index in range(block.start, block.stop)]
        yield pa.table(
            {
                "id": workspace.pool.ids(block),
                "text": workspace.pool.texts(block),
                "label": [label for label, _, _, _ in rows],
                "given_by": [by for _, by, _, _ in rows],
                "source": [source for _, _, source, _ in rows],
                "inherited_from": [origin for _, _, _, origin in rows],
                "probability": pa.array(probabilities.max(axis=1), mask=without),
                "proposal": pa.array(names[proposed], mask=without),
                "audit": [
                    index in outcomes and outcomes[index].audit
                    for index in range(block.start, block.stop)
                ],
                "decisions": [len(each) for each in times],
                "decided_at": [each[-1] if each else None for each in times],
            },
            SCHEMA,
        )


WITHOUT_TEXT = (None, "", "none", None)


def _provenance(
    outcome: Outcome | None, origin: Outcome | None, proposed: str, machine: str
) -> tuple[str | None, str, str, str | None]:
    """Say an item's label, who or what gave it, which `source` that is, and whose label it was."""
    if origin is not None:
        return origin.label, ", ".join(origin.reviewers), "inherited", origin.item_id
    if outcome is None:
        return proposed, machine, "machine", None
    if outcome.label is None:
        return None, "", "none", None
    source = "oracle" if outcome.machine else "person"
    return outcome.label, ", ".join(outcome.reviewers), source, None


def _write_student(workspace: Workspace, folder: Path, training: TrainingRow | None) -> None:
    if training is not None:
        private = shutil.ignore_patterns(OUT_OF_FOLD)  # what was said of single items
        source = workspace.student_folder(training.cycle)
        shutil.copytree(source, folder / "student", ignore=private)


def _write_cards(
    workspace: Workspace, folder: Path, training: TrainingRow | None, counts: dict[str, int]
) -> None:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("hilt.pipeline", "templates"),
        autoescape=False,
        trim_blocks=True,
        keep_trailing_newline=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    values = {
        "name": workspace.folder.resolve().name,
        "config": workspace.config,
        "counts": counts,
        "without_text": len(workspace.pool.empty),
        "check": check(workspace.groups, workspace.outcomes()),
        "training": None if training is None else {"cycle": training.cycle, **training.summary},
        "version": version("hilt"),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }
    card = environment.get_template("dataset_card.md").render(values)
    (folder / "README.md").write_text(card, encoding="utf-8")
    names = json.dumps(list(workspace.config.label_names), ensure_ascii=False, indent=1)
    (folder / "labels.json").write_text(names + "\n", encoding="utf-8")
    if training is not None:
        card = environment.get_template("model_card.md").render(values)
        (folder / "student" / "README.md").write_text(card, encoding="utf-8")
