"""Parquet files, folders saved by `datasets`, and datasets on the hub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from hilt.errors import DataError
from hilt.pipeline.configuration.sections import Source
from hilt.pipeline.pools.columns import check_columns, wanted_columns
from hilt.registry import nearest

BATCH_ROWS = 16384
HUB = "hub:"


@dataclass(frozen=True, slots=True)
class ParquetSource:
    """A .parquet file."""

    source: Source

    def batches(self) -> Iterator[pa.Table]:
        """Stream the wanted columns as text, under their names in the pool.

        Raises:
            DataError: If it is no Parquet file, a column is missing or is not text.
        """
        try:
            with pyarrow.parquet.ParquetFile(self.source.path) as file:
                schema = file.schema_arrow
                check_columns(self.source, schema.names)
                columns = list(dict.fromkeys(wanted_columns(self.source).values()))
                for batch in file.iter_batches(BATCH_ROWS, columns=columns):
                    yield _as_text(self.source, batch, _class_names(schema))
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError(f"{self.source.path} cannot be read as Parquet: {error}") from None

    def place(self, row: int) -> str:
        """Name a row, from 1."""
        return f"{self.source.path}, row {row + 1}"


@dataclass(frozen=True, slots=True)
class DatasetSource:
    """A folder made by `save_to_disk`, or `hub:owner/name`.

    A dataset of the hub stays in the user's Hugging Face cache, so that it is there offline.
    """

    source: Source

    def batches(self) -> Iterator[pa.Table]:
        """Stream the wanted columns as text, under their names in the pool.

        Raises:
            DataError: If it cannot be loaded, or a split or a column is missing or is not text.
        """
        dataset = self._load()
        check_columns(self.source, dataset.column_names)
        names = _class_names(dataset.features.arrow_schema)
        for batch in dataset.with_format("arrow").iter(BATCH_ROWS):
            yield _as_text(self.source, batch, names)

    def place(self, row: int) -> str:
        """Name a row, from 1."""
        return f"{self.source.path}, row {row + 1}"

    def _load(self) -> Any:  # noqa: ANN401 - a datasets.Dataset, which has no types
        path, split = self.source.path, self.source.split
        loaded = _load_hub(path) if path.startswith(HUB) else _load_folder(path)
        if not isinstance(loaded, Mapping):
            return loaded
        if split not in loaded:
            raise DataError(
                f"{path}: there is no split {split!r}.{nearest(split, loaded)}"
                f" Splits: {', '.join(loaded)}."
            )
        return loaded[split]


def _load_folder(path: str) -> Any:  # noqa: ANN401 - see _load
    # Importing datasets takes seconds, which a command that reads no data should not pay.
    import datasets

    if not any((Path(path) / name).is_file() for name in ("state.json", "dataset_dict.json")):
        raise DataError(
            f"{path} is a folder, but not one that `save_to_disk` of `datasets` made;"
            " give a file, or such a folder."
        )
    try:
        return datasets.load_from_disk(path)
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path} cannot be read by `datasets`: {error}") from None


def _load_hub(path: str) -> Any:  # noqa: ANN401 - see _load
    import datasets

    try:
        return datasets.load_dataset(path.removeprefix(HUB))
    except (OSError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{path} cannot be loaded from the hub: {reason}") from None


def _class_names(schema: pa.Schema) -> dict[str, Sequence[str]]:
    """Find the label names that `datasets` keeps beside columns of whole numbers."""
    if b"huggingface" not in (schema.metadata or {}):
        return {}
    import datasets

    features = datasets.Features.from_arrow_schema(schema)
    return {
        column: feature.names
        for column, feature in features.items()
        if isinstance(feature, datasets.ClassLabel)
    }


def _as_text(
    source: Source, batch: pa.RecordBatch | pa.Table, names: Mapping[str, Sequence[str]]
) -> pa.Table:
    """Turn whole numbers (not of the text) and class labels into strings; keep nulls."""
    columns = {}
    for role, column in wanted_columns(source).items():
        values = batch.column(column)
        kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
        if column in names and pa.types.is_integer(kind):
            # `datasets` writes -1 for a label that is unknown.
            known = pc.if_else(pc.less(values, 0), None, values)
            values = pa.array(names[column], pa.string()).take(known)
        elif not _is_text(kind) and not (role != "text" and pa.types.is_integer(kind)):
            allowed = "text" if role == "text" else "text or whole numbers"
            raise DataError(f"{source.path}: column {column!r} is {kind}; it must be {allowed}.")
        columns[role] = values.cast(pa.string())
    return pa.table(columns)


def _is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )
