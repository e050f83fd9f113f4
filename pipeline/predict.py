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

from hilt.errors import DataError
from hilt.outputs import LEDGER, Ledger, output_file
from hilt.pipeline.arrays import blocks
from hilt.pipeline.configuration.sections import Source
from hilt.pipeline.pools.pool import Pool, build_pool
from hilt.pipeline.releasing.loaded import AnyStudent, LoadedStudent, load_student
from hilt.pipeline.workspace import Workspace
from hilt.progress import Progress, Silent

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
    student: AnyStudent,
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
        student: The folder of a student, of a release or of a workspace (its newest student), a
            workspace, or a student of `load_student`.
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
    progress = progress or Silent()
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
        loaded = load_student(student, device=device)
        build_pool(Source(path=str(source), text=text, id=id_column), None, Path(folder) / "pool")
        pool = Pool.open(Path(folder) / "pool")
        with (
            progress.task("Predicting", len(pool), "items") as advance,
            WRITERS[output.suffix](temporary, SCHEMA) as writer,
        ):
            for table in _tables(loaded, pool):
                writer.write_table(table)
                counts.update(table.column("label").to_pylist())
                advance(len(table))
    return PredictResult(output, len(pool), dict(counts.most_common()))


def _ledger(student: AnyStudent) -> Ledger | None:
    """Find what remembers the files that were written; a student without a workspace has none."""
    if isinstance(student, Workspace):
        return student.ledger
    if isinstance(student, str | Path) and (Path(student) / "hilt.yaml").exists():
        return Ledger(Path(student) / LEDGER)
    return None


def _tables(student: LoadedStudent, pool: Pool) -> Iterator[Any]:
    names = np.array(student.labels, dtype=object)
    for block in blocks(len(pool), BLOCK_ROWS):
        items = pool.items(block)
        probabilities = student.predict_proba(items.texts)
        yield pa.table(
            {
                "id": items.ids,
                "text": items.texts,
                "label": names[probabilities.argmax(axis=1)],
                "probability": probabilities.max(axis=1),
            },
            SCHEMA,
        )
