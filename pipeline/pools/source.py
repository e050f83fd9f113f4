"""Where items come from: one reader for every kind of file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from hilt.errors import DataError
from hilt.pipeline.configuration.sections import Source
from hilt.pipeline.pools.arrow_source import HUB, DatasetSource, ParquetSource
from hilt.pipeline.pools.csv_source import CsvSource
from hilt.pipeline.pools.json_source import JsonSource
from hilt.registry import nearest


class Reader(Protocol):
    """Streams a source in its own order, in constant memory."""

    def batches(self) -> Iterator[pa.Table]:
        """Stream the columns that the source names, as strings called `id`, `text`, `label`.

        Nulls stand where the source has none; the caller decides what they mean.
        """
        ...

    def place(self, row: int) -> str:
        """Say where a row (from 0) stands, for messages: `data.csv, line 12`."""
        ...


READERS: dict[str, Callable[[Source], Reader]] = {
    ".csv": CsvSource,
    ".csv.gz": CsvSource,
    ".tsv": CsvSource,
    ".tsv.gz": CsvSource,
    ".jsonl": JsonSource,
    ".jsonl.gz": JsonSource,
    ".ndjson": JsonSource,
    ".parquet": ParquetSource,
}


def open_source(source: Source) -> Reader:
    """Find the reader for a source; nothing is read yet.

    Raises:
        DataError: If there is no such file, or its ending is unknown.
    """
    if source.path.startswith(HUB):
        return DatasetSource(source)
    path = Path(source.path)
    if not path.exists():
        siblings = [other.name for other in path.parent.glob("*")] if path.name else []
        raise DataError(f"{path}: there is no such file or folder.{nearest(path.name, siblings)}")
    if path.is_dir():
        return DatasetSource(source)
    for ending, reader in READERS.items():
        if path.name.lower().endswith(ending):
            return reader(source)
    raise DataError(
        f"{path}: files that end in {path.suffix or 'nothing'!r} cannot be read."
        f" Allowed: {', '.join(READERS)}, or a folder saved by `datasets`."
    )
