"""The student on new data: every row of a table with its label, whatever else stands in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from hilt.errors import DataError
from hilt.media.base import Medium
from hilt.outputs import output_file
from hilt.pipeline.releasing.columns.base import column_of
from hilt.pipeline.releasing.loaded import (
    AnyStudent,
    LoadedStudent,
    answers_of,
    as_items,
    load_student,
)
from hilt.pipeline.runners.base import Chunk, Runner
from hilt.pipeline.runners.local import Local
from hilt.pipeline.workspace.workspace import Workspace, is_workspace, open_workspace
from hilt.progress import Advance, Progress, Silent
from hilt.reading.kept_columns import KeptColumns, kept_columns
from hilt.reading.options import Options
from hilt.reading.table import open_table
from hilt.rows import Rows
from hilt.tasks.base import Task
from hilt.types import Content, Floats
from hilt.values import count_labels

BLOCK_ROWS = 2048
WRITERS = {".csv": pa_csv.CSVWriter, ".parquet": pq.ParquetWriter}


@dataclass(frozen=True, slots=True)
class PredictResult:
    """What was predicted.

    Attributes:
        path: Where the predictions are.
        items: How many rows there are.
        label_counts: How often each label was predicted.
        unlabelled: How many rows have no text, so that their label is empty.
        renamed: Columns of the input that now have another name, with the new one.
    """

    path: Path
    items: int
    label_counts: dict[str, int]
    unlabelled: int = 0
    renamed: dict[str, str] = field(default_factory=dict)


def predict(
    student: AnyStudent,
    file: Path | str,
    output: Path | str = "predictions.csv",
    *,
    text: str = "text",
    id: str | None = None,  # noqa: A002 - named like the option
    all_probabilities: bool = False,
    encoding: str | None = None,
    delimiter: str | None = None,
    quoting: str = "auto",
    device: str = "auto",
    trust: Collection[str] = (),
    force: bool = False,
    progress: Progress | None = None,
) -> PredictResult:
    """Label new items with a trained student.

    The output has every row of the file, in the same order and with all columns, and also
    `label` and `probability`, which are empty if a row has no text. For a task of your own, the
    column of the answer is called as in a released dataset.

    Args:
        student: The folder of a student, of a release or of a workspace (its newest student), a
            workspace, or a student of `load_student`.
        file: The new items, in any form that a pool can have; ids need not be unique.
        output: A .csv or .parquet file.
        text: The column with the text; a medium of your own reads the columns that it names.
        id: A column that must exist.
        all_probabilities: Write a column `probability_LABEL` for each label too.
        encoding: Encoding of the file; default: from its byte order mark, else UTF-8.
        delimiter: The character between fields; default: detected.
        quoting: What `"` means: `fields` (it encloses them), `none` (an ordinary character) or
            `auto`.
        device: Where models run.
        trust: Classes that the student's files may name and have run; see `load_student`.
        force: Move an existing file at `output` to NAME.bak-1.
        progress: Receives progress and notes.

    Raises:
        DataError: If the file cannot be used, or the output's ending is unknown.
        OutputError: If something stands at `output`, or it cannot be written.
        WorkspaceError: If the workspace has no student yet.
        ModelError: If the folder holds no student.
    """
    output, progress = Path(output), progress or Silent()
    options = Options.checked(encoding=encoding, delimiter=delimiter, quoting=quoting)
    if output.suffix not in WRITERS:
        raise DataError(f"{output} ends in {output.suffix!r}; allowed: {', '.join(WRITERS)}.")
    if isinstance(student, str | Path) and is_workspace(Path(student)):
        student = open_workspace(student)
    own = student if isinstance(student, Workspace) else None
    with output_file(
        output,
        force=force,
        ledger=None if own is None else own.ledger,
        inputs=(Path(file),),
        note=progress.note,
    ) as temporary:
        loaded = load_student(student, device=device, trust=trust)
        read = _columns(loaded.medium, text)
        asked = (*read, *(() if id is None else (id,)))
        table = open_table(file, replace(options, wanted=asked))
        for warning in table.warnings:
            progress.note(warning)
        if id is not None and table.names:
            table.find(id, "--id")
        added = _Added(loaded.task, all_probabilities)
        kept = kept_columns(table, read, added.names, typed=output.suffix == ".parquet")
        with progress.task("Predicting", kept.count_rows(), "items") as advance:
            write = _Writing(output.suffix, temporary, kept, added, advance)
            write.all(Local() if own is None else own.runner, loaded)
    told = {name: new for name, new in kept.new_names.items() if name != new}
    for name, new in told.items():
        progress.note(f"The column {name!r} of {file} is called {new!r} in {output}.")
    counts = dict(added.counts.most_common())
    return PredictResult(output, added.rows, counts, added.rows - added.labelled, told)


def _columns(medium: Medium, text: str) -> dict[str, str]:
    """Name the columns that are read, each with what names it in messages."""
    named = {"text": (text, "--text")}
    return dict(named.get(name, (name, "medium")) for name in medium.columns)


class _Writing:
    """Writes the rows of a table with their labels, whatever runner predicts them."""

    def __init__(
        self, ending: str, path: Path, kept: KeptColumns, added: _Added, advance: Advance
    ) -> None:
        self._ending, self._path = ending, path
        self._kept, self._added = kept, added
        self._advance = advance
        self._waiting: dict[int, tuple[pa.Table, list[bool], list[Content]]] = {}
        self._writer: pa_csv.CSVWriter | pq.ParquetWriter | None = None

    def all(self, runner: Runner, student: LoadedStudent) -> None:
        """Write block after block; the columns of the first say how all are written."""
        try:
            runner.map(student.work, self._chunks(student.medium), self._write)
            if self._writer is None:
                self._waiting[0] = (self._kept.empty(), [], [])
                self._write(0, np.empty((0, student.task.rows.n_columns), dtype=np.float32))
        finally:
            if self._writer is not None:
                self._writer.close()

    def _chunks(self, medium: Medium) -> Iterator[Chunk]:
        start = 0
        for values, rows in self._kept.blocks(BLOCK_ROWS):
            contents = [
                None if None in row else medium.read(*(value or "" for value in row))
                for row in values
            ]
            asked = [each is not None and not medium.is_empty(each) for each in contents]
            contents = list(compress(contents, asked))
            self._waiting[start] = (rows, asked, contents)
            yield Chunk(start, as_items(contents))
            start += len(values)

    def _write(self, start: int, predicted: Floats) -> None:
        block = self._added.add(*self._waiting.pop(start), predicted)
        self._writer = self._writer or WRITERS[self._ending](self._path, block.schema)
        self._writer.write_table(block)
        self._advance(len(block))


class _Added:
    """Puts answers beside blocks of rows, and counts.

    Raises:
        DataError: If the probability of each label is asked for, and the task has none.
    """

    def __init__(self, task: Task, all_probabilities: bool) -> None:
        self._task, self._column = task, column_of(task)
        one_each = task.rows.offsets([]) is None and task.rows.n_columns == len(task.labels)
        if all_probabilities and not one_each:
            raise DataError(
                f"An item has no probability for each label in the task {task.name!r}; leave out"
                " --all-probabilities, or `all_probabilities` in Python."
            )
        self._each = [f"probability_{label}" for label in task.labels if all_probabilities]
        self.names = (self._column.name, "probability", *self._each)
        self.counts: Counter[str] = Counter()
        self.rows = self.labelled = 0

    def add(
        self, rows: pa.Table, asked: Sequence[bool], contents: list[Content], predicted: Floats
    ) -> pa.Table:
        """Return the rows with their answers, which are null where there is nothing to label.

        Args:
            rows: n rows of the table.
            asked: Of each, whether there is something to label.
            contents: The items where there is.
            predicted: What is said of these, as the task lays it out.
        """
        said = Rows(predicted, self._task.rows.offsets(contents))
        values = answers_of(said, contents, self._task)
        self.counts.update(count_labels(values))
        self.rows += len(asked)
        self.labelled += len(values)
        places = np.flatnonzero(asked)
        cells = np.full(len(asked), None, dtype=object)
        for place, value in zip(places.tolist(), values, strict=True):
            cells[place] = self._column.cell(value)
        rows = rows.append_column(self.names[0], pa.array(cells.tolist(), self._column.type))
        columns = [self._task.rows.confidence(said), *(predicted.T if self._each else ())]
        for name, each in zip(self.names[1:], columns, strict=True):
            spread = np.full(len(asked), np.nan, dtype=np.float32)
            spread[places] = each
            rows = rows.append_column(name, pa.array(spread, pa.float32(), from_pandas=True))
        return rows
