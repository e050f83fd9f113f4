"""From a source to a checked pool on disk, all or nothing."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hilt.errors import DataError, WorkspaceError
from hilt.media.base import Medium
from hilt.media.text import TEXT
from hilt.pipeline.configuration.source import Source
from hilt.pipeline.pools.record import PoolSummary, SourceFile, source_file, write_record
from hilt.pipeline.pools.row_check import RowCheck
from hilt.pipeline.pools.same_text import Hashes, find_repeats, hash_texts
from hilt.pipeline.pools.source import Reader, open_source
from hilt.plain_files import shown
from hilt.review.answers.cell import AnswerCell
from hilt.tasks.base import Task
from hilt.types import Content

WRITE_ROWS = 65536


def build_pool(
    source: Source,
    task: Task | None,
    folder: Path,
    note: Callable[[str], None] = lambda text: None,
    medium: Medium = TEXT,
) -> PoolSummary:
    """Read and check a source, and write it as a pool that `Pool` opens.

    The columns are `id`, those of the medium, `label` (only when the source names one) and `group`,
    the index of the first item with the same key. Nothing is left behind after an error; what a
    kill leaves, `<folder>.partial`, the next call clears.

    Args:
        source: Where the items come from. Without an id column, an id is `t` and the first 16 hex
            digits of the text's SHA-256, with `-2`, `-3` on repeats: no spreadsheet takes it for a
            number.
        task: What known answers are; None lets a label be anything. An empty one is unknown,
            which is allowed unless the source is a `TestSource`.
        folder: Where to write; it must not exist yet.
        note: Told what may have been read otherwise than it was meant.
        medium: What an item is.

    Raises:
        DataError: If the source cannot be used; the message names file, line and value.
        WorkspaceError: If the folder exists.
    """
    if folder.exists():
        raise WorkspaceError(f"{folder} exists already; a pool is never changed after it was made.")
    known = None if task is None else AnswerCell(task)
    reader, read = open_source(source, medium, known), source_file(source.path)
    for warning in reader.warnings:
        note(warning)
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        scan = copy_rows(reader, RowCheck(source, reader, known, medium), partial / "rows.arrow")
        if not scan.items:
            raise DataError(
                f"{shown(source.path)} contains no items: it is empty, or has only a header."
            )
        summary = _finish(reader, scan, partial, read, medium)
        (partial / "pool").rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return summary


@dataclass(slots=True)
class Scan:
    """What is gathered while the rows stream past: 16 bytes an item."""

    items: int = 0
    empty_texts: int = 0
    groups: list[Hashes] = field(default_factory=list)
    ids: list[Hashes] = field(default_factory=list)
    digests: dict[str, Any] = field(default_factory=dict)

    def add(self, batch: pa.Table, contents: Sequence[Content], medium: Medium) -> None:
        """Take in rows that were checked."""
        self.items += len(contents)
        self.empty_texts += sum(map(medium.is_empty, contents))
        self.groups.append(hash_texts(map(medium.key, contents)))
        # Where the source has no ids they are made from the contents.
        has_ids = "id" in batch.column_names
        named = batch.column("id").to_pylist() if has_ids else map(medium.text, contents)
        self.ids.append(hash_texts(named))
        for name in batch.column_names:
            self.digest(name, batch.column(name).to_pylist())

    def digest(self, name: str, values: list[str]) -> None:
        """Add values to a column's digest, which does not depend on where batches end."""
        lengths, content = self.digests.setdefault(name, (hashlib.sha256(), hashlib.sha256()))
        lengths.update(np.fromiter(map(len, values), "<i8", len(values)).tobytes())
        content.update("".join(values).encode())

    def fingerprint(self) -> str:
        """SHA-256 over all that was taken in."""
        whole = hashlib.sha256()
        for name in sorted(self.digests):
            lengths, content = self.digests[name]
            whole.update(f"{name} {lengths.hexdigest()} {content.hexdigest()}\n".encode())
        return whole.hexdigest()


def copy_rows(reader: Reader, check: RowCheck, path: Path) -> Scan:
    """Stream the checked rows into an Arrow file."""
    scan = Scan()
    writer = None
    try:
        for batch in reader.batches():
            if not len(batch):
                continue
            checked, contents = check.check(batch, scan.items)
            scan.add(checked, contents, check.medium)
            writer = writer or pa.ipc.new_stream(str(path), checked.schema)
            writer.write_table(checked)
    finally:
        if writer is not None:
            writer.close()
    return scan


def _finish(
    reader: Reader, scan: Scan, partial: Path, read: SourceFile | None, medium: Medium
) -> PoolSummary:
    """Add ids and groups to the copied rows, and save them as one dataset."""
    # Importing datasets takes seconds, so what reads no data does not.
    import datasets

    rows = datasets.Dataset.from_file(str(partial / "rows.arrow"))
    first, before = find_repeats(np.concatenate(scan.ids))
    if "id" in rows.column_names:
        refuse_repeated_ids(rows, reader, first)
    groups, _ = find_repeats(np.concatenate(scan.groups))
    repeats = None if "id" in rows.column_names else before
    _write_made(scan, groups, repeats, partial / "made.arrow")
    made = datasets.Dataset.from_file(str(partial / "made.arrow"))
    whole = datasets.concatenate_datasets([rows, made], axis=1)
    names = ("id", *medium.columns, "label", "group")
    order = [name for name in names if name in whole.column_names]
    with _silent_bars():
        whole.select_columns(order).save_to_disk(str(partial / "pool"))
    summary = PoolSummary(
        items=scan.items,
        empty_texts=scan.empty_texts,
        exact_duplicates=count_copies(groups, scan.empty_texts),
        fingerprint=scan.fingerprint(),
        source=read,
    )
    write_record(partial / "pool", summary)
    return summary


def count_copies(groups: npt.NDArray[np.int64], empty_texts: int) -> int:
    """Count the items that are in the group of an earlier one, those without a text left out."""
    return int((groups != np.arange(len(groups))).sum()) - max(0, empty_texts - 1)


def refuse_repeated_ids(
    rows: Any,  # noqa: ANN401 - a dataset, which has no types
    reader: Reader,
    first: npt.NDArray[np.int64],
) -> None:
    """Raise DataError for the first id that stands in an earlier row; `first` says in which."""
    for row in np.flatnonzero(first != np.arange(len(first))).tolist():
        item_id, earlier = rows[row]["id"], int(first[row])
        # Two ids could share a hash without being the same.
        if rows[earlier]["id"] == item_id:
            raise DataError(
                f"{reader.place(row)}: the id {item_id[:80]!r} was already used in"
                f" {reader.place(earlier)}; ids must be unique (or set `id: null`)."
            )


def _write_made(
    scan: Scan, groups: npt.NDArray[np.int64], repeats: npt.NDArray[np.int64] | None, path: Path
) -> None:
    """Write the column `group` and, where the source has none, `id`."""
    hashes = np.concatenate(scan.ids)
    schema = {"group": pa.int64()} | ({} if repeats is None else {"id": pa.string()})
    with pa.ipc.new_stream(str(path), pa.schema(schema)) as writer:
        for start in range(0, scan.items, WRITE_ROWS):
            part = slice(start, start + WRITE_ROWS)
            columns: dict[str, Any] = {"group": groups[part]}
            if repeats is not None:
                columns["id"] = made_ids(hashes[part], repeats[part])
                scan.digest("id", columns["id"])
            writer.write_table(pa.table(columns, schema=pa.schema(schema)))


def made_ids(hashes: Hashes, repeats: npt.NDArray[np.int64]) -> list[str]:
    """Make ids from the hashes of texts, and how many with the same text stand before."""
    return [
        f"t{content:016x}" + (f"-{repeat + 1}" if repeat else "")
        for content, repeat in zip(hashes.tolist(), repeats.tolist(), strict=True)
    ]


@contextmanager
def _silent_bars() -> Iterator[None]:
    """Keep `datasets` from drawing a bar of its own."""
    import datasets

    shown = datasets.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if shown:
            datasets.enable_progress_bars()
