"""Parquet files, folders saved by `datasets`, and datasets on the hub."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from hilt.errors import DataError
from hilt.plain_files import kind_of_file, shown
from hilt.reading.arrow_values import BadBytesError, Leaf, class_names, leaves_of, strings_of
from hilt.reading.names import find_column, unique_names
from hilt.reading.opening import File, unreadable
from hilt.reading.options import HUB, Options
from hilt.reading.rows import Column, Row
from hilt.reading.values import WrongValueError
from hilt.registry import nearest

BATCH_ROWS = 16384
# What damaged files make Arrow and `datasets` raise, beside errors of their own.
DAMAGED = (
    pa.ArrowException,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RuntimeError,
)


@dataclass(frozen=True, slots=True)
class ArrowTable:
    """What Arrow reads; `open_parquet` and `open_dataset` make it."""

    path: str
    schema: pa.Schema
    source: _Parquet | _Dataset
    warnings: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The columns; what is inside of a struct has a dotted name."""
        return tuple(unique_names([leaf.name for leaf in leaves_of(self.schema)]))

    def find(self, wanted: str, role: str) -> str:
        """Find a column; returns its name in `names`."""
        present = [leaf.name for leaf in leaves_of(self.schema)]
        found = find_column(wanted, present, place=shown(self.path), role=role)
        return self.names[present.index(found)]

    def batches(self, columns: Sequence[Column], *, fill: bool = False) -> Iterator[pa.Table]:
        """Stream columns as text.

        Args:
            columns: Which, and what they are called in the tables that come out.
            fill: Without a meaning here: every row has all columns.

        Raises:
            DataError: If the data is damaged, or a column is missing or cannot stand in its place.
        """
        leaves = dict(zip(self.names, leaves_of(self.schema), strict=True))
        found = [(column, leaves[self.find(column.name, column.role)]) for column in columns]
        tops = sorted({leaf.top for _, leaf in found})
        classes = class_names(self.schema)
        row = 0
        for batch in self._batches(tops):
            made = {
                column.role: self._strings(batch, tops, column, leaf, classes, row)
                for column, leaf in found
            }
            yield pa.table(made)
            row += len(batch)

    def rows(self) -> Iterator[Row]:
        """Stream rows with all their columns: text, and lists as they are."""
        columns = [
            Column(name, name, "raw" if pa.types.is_nested(leaf.type) else "any")
            for name, leaf in zip(self.names, leaves_of(self.schema), strict=True)
        ]
        number = 0
        for batch in self.batches(columns):
            for fields in batch.to_pylist():
                number += 1
                yield Row(number, fields, "row")

    def place(self, row: int) -> str:
        """Name a row, from 1."""
        return f"{self.path}, row {row + 1}"

    def _batches(self, tops: Sequence[int]) -> Iterator[pa.Table]:
        try:
            yield from self.source.read(tops)
        except DAMAGED as error:
            raise _damaged(self.path, error) from None

    def _strings(
        self,
        batch: pa.Table,
        tops: Sequence[int],
        column: Column,
        leaf: Leaf,
        classes: Mapping[str, Sequence[str]],
        row: int,
    ) -> pa.ChunkedArray:
        try:
            values = leaf.take(batch.column(tops.index(leaf.top)))
            return strings_of(values, column.kind, None if leaf.path else classes.get(leaf.name))
        except BadBytesError as error:
            place = self.place(row + error.row)
            raise DataError(f"{place}: column {leaf.name!r} {error}.") from None
        except WrongValueError as error:
            raise DataError(f"{shown(self.path)}: column {leaf.name!r} {error}.") from None
        except DAMAGED as error:
            raise _damaged(self.path, error) from None


@dataclass(frozen=True, slots=True)
class _Parquet:
    path: str

    def read(self, tops: Sequence[int]) -> Iterator[pa.Table]:
        with pyarrow.parquet.ParquetFile(self.path) as file:
            names = file.schema_arrow.names
            wanted = [names[top] for top in tops]
            # Arrow picks columns by name, so that of two with one name it gives both.
            unique = all(names.count(name) == 1 for name in wanted)
            picked = list(tops)
            if unique:
                order = sorted(tops)
                picked = [order.index(top) for top in tops]
            for batch in file.iter_batches(BATCH_ROWS, columns=wanted if unique else None):
                yield pa.Table.from_batches([batch]).select(picked)


@dataclass(frozen=True, slots=True)
class _Dataset:
    dataset: Any

    def read(self, tops: Sequence[int]) -> Iterator[pa.Table]:
        for batch in self.dataset.with_format("arrow").iter(BATCH_ROWS):
            yield batch.select(list(tops))


def open_parquet(file: File) -> ArrowTable:
    """Open a .parquet file.

    Raises:
        DataError: If it is none.
    """
    try:
        with pyarrow.parquet.ParquetFile(file.path) as opened:
            schema = opened.schema_arrow
    except DAMAGED as error:
        raise _damaged(file.path, error, " as Parquet") from None
    return ArrowTable(file.path, schema, _Parquet(file.path))


def open_dataset(path: str, options: Options) -> ArrowTable:
    """Open a folder made by `save_to_disk`, or `hub:owner/name`.

    A dataset of the hub stays in the user's Hugging Face cache, so that it is there offline.

    Raises:
        DataError: If it cannot be loaded, or there is no such split.
    """
    loaded = _load_hub(path) if path.startswith(HUB) else _load_folder(path)
    if isinstance(loaded, Mapping):
        if options.split not in loaded:
            raise DataError(
                f"{shown(path)}: there is no split {options.split!r}."
                f"{nearest(options.split, loaded)} Splits: {', '.join(loaded)}."
            )
        loaded = loaded[options.split]
    try:
        return ArrowTable(path, loaded.features.arrow_schema, _Dataset(loaded))
    except DAMAGED as error:
        raise _damaged(path, error, " by `datasets`") from None


def _load_folder(path: str) -> Any:  # noqa: ANN401 - a datasets.Dataset, which has no types
    # Importing datasets takes seconds, which a command that reads no data should not pay.
    import datasets

    if not any((Path(path) / name).is_file() for name in ("state.json", "dataset_dict.json")):
        raise DataError(
            f"{shown(path)} is a folder, but was not made by `save_to_disk` of `datasets`;"
            " give a file or such a folder."
        )
    _check_plain(Path(path))
    try:
        return datasets.load_from_disk(path)
    except DAMAGED as error:
        if _without_data(Path(path)):
            raise DataError(f"{shown(path)} holds no items: it was saved without rows.") from None
        raise _damaged(path, error, " by `datasets`") from None


def _check_plain(folder: Path) -> None:
    """Refuse a saved dataset with a pipe or a device in it, which would be read for ever.

    Raises:
        DataError: If there is one.
    """
    try:
        for file in (*folder.iterdir(), *folder.glob("*/*")):  # a split is a folder within
            kind = "" if file.is_dir() else kind_of_file(file.stat().st_mode)
            if kind:
                raise DataError(f"{shown(str(file))} is {kind}, not a part of a saved dataset.")
    except OSError as error:
        raise unreadable(str(folder), error) from None


def _without_data(folder: Path) -> bool:
    """Tell whether a saved dataset names no files of data; `datasets` cannot read one itself."""
    try:
        state = json.loads((folder / "state.json").read_text("utf-8"))
        return isinstance(state, dict) and state.get("_data_files") == []
    except (OSError, ValueError, RecursionError):
        return False


def _load_hub(path: str) -> Any:  # noqa: ANN401 - see _load_folder
    import datasets

    try:
        return datasets.load_dataset(path.removeprefix(HUB))
    except (*DAMAGED, RuntimeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise DataError(f"{shown(path)} cannot be loaded from the hub: {reason}") from None


def _damaged(path: str, error: Exception, reader: str = "") -> DataError:
    if isinstance(error, DataError):
        return error
    reason = " ".join(f"{error}".split())[:300].rstrip(".") or type(error).__name__
    return DataError(f"{shown(path)} cannot be read{reader}: {reason}.")
