"""The student on new data."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from hilt.errors import DataError, WorkspaceError
from hilt.outputs import LEDGER, Ledger, output_file
from hilt.pipeline.arrays import blocks
from hilt.pipeline.configuration.sections import Source
from hilt.pipeline.pools.pool import Pool, build_pool
from hilt.pipeline.proposing import latest_training
from hilt.pipeline.students.saved import SavedStudent, load_student
from hilt.pipeline.workspace import open_workspace
from hilt.progress import Progress, Silent
from hilt.proposers.base import EMBEDDERS
from hilt.types import Items

BLOCK_ROWS = 2048
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("text", pa.string()),
        ("label", pa.string()),
        ("probability", pa.float32()),
    ]
)
WRITERS = {".csv": pa_csv.CSVWriter, ".parquet": pq.ParquetWriter}


@dataclass(frozen=True, slots=True)
class PredictResult:
    """What was predicted.

    Attributes:
        path: Where the predictions are.
        items: How many.
        label_counts: How often each label was predicted.
    """

    path: Path
    items: int
    label_counts: dict[str, int]


def predict(
    student: Path | str,
    source: Path | str,
    output: Path | str,
    *,
    text: str = "text",
    id_column: str | None = None,
    device: str = "auto",
    force: bool = False,
    progress: Progress | None = None,
) -> PredictResult:
    """Label new items with a trained student.

    Args:
        student: A workspace (its newest student), or the folder of a student.
        source: The new items, in any form that a pool can have.
        output: A .csv or .parquet file: id, text, label, probability.
        text: The column with the text.
        id_column: The column with a unique id; made from the content without it.
        device: Where models run.
        force: Move the file that stands at `output` to NAME.bak-1.
        progress: Who looks on.

    Raises:
        DataError: If the source cannot be used, or the output's ending is unknown.
        OutputError: If something stands at `output`, or it cannot be written.
        WorkspaceError: If the workspace has no student yet.
        ModelError: If the folder holds no student.
    """
    output = Path(output)
    if output.suffix not in WRITERS:
        raise DataError(f"{output} ends in {output.suffix!r}; allowed: {', '.join(WRITERS)}.")
    student, progress = Path(student), progress or Silent()
    counts: Counter[str] = Counter()
    with (
        tempfile.TemporaryDirectory(prefix="hilt-") as folder,
        output_file(
            output,
            force=force,
            ledger=_ledger(student),
            inputs=(Path(source),),
            note=progress.note,
        ) as temporary,
    ):
        saved = load_student(_student_folder(student), device)
        build_pool(Source(path=str(source), text=text, id=id_column), None, Path(folder) / "pool")
        pool = Pool.open(Path(folder) / "pool")
        with (
            progress.task("Predicting", len(pool), "items") as advance,
            WRITERS[output.suffix](temporary, SCHEMA) as writer,
        ):
            for table in _tables(saved, pool, device):
                writer.write_table(table)
                counts.update(table.column("label").to_pylist())
                advance(len(table))
    return PredictResult(output, len(pool), dict(counts.most_common()))


def _ledger(student: Path) -> Ledger | None:
    """Find what remembers the files that were written; a student without a workspace has none."""
    return Ledger(student / LEDGER) if (student / "hilt.yaml").exists() else None


def _student_folder(folder: Path) -> Path:
    if not (folder / "hilt.yaml").exists():
        return folder
    workspace = open_workspace(folder)
    training = latest_training(workspace)
    if training is None:
        raise WorkspaceError(f"{folder} has no student yet; run `hilt train {folder}`.")
    return workspace.student_folder(training.cycle)


def _tables(saved: SavedStudent, pool: Pool, device: str) -> Iterator[Any]:
    settings = {name: value for name, value in saved.embedder.items() if name != "kind"}
    embedder = EMBEDDERS.load(saved.embedder["kind"])(device=device, **settings)
    names = np.array(saved.labels, dtype=object)
    for block in blocks(len(pool), BLOCK_ROWS):
        items = pool.items(block)
        embeddings = embedder.embed(list(items.texts))
        probabilities = saved.student.predict_proba(Items(items.ids, items.texts, embeddings))
        yield pa.table(
            {
                "id": items.ids,
                "text": items.texts,
                "label": names[probabilities.argmax(axis=1)],
                "probability": probabilities.max(axis=1),
            },
            SCHEMA,
        )
