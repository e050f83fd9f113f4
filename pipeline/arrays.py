"""Arrays on disk: written atomically, in chunks that survive a kill, each with its maker.

Beside `embeddings.npy` stands `embeddings.json` with what made it. While an array is being
made, both carry the suffix `.part`; the array is renamed first and its maker last, so that an
array is current only when its maker says so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hilt.types import Integers

Array = npt.NDArray[Any]
Maker = Mapping[str, Any]
MEASURED = "measured"  # the key under which the JSON holds what the making found out


def fingerprint(value: Any) -> str:  # noqa: ANN401 - anything that JSON can hold
    """Hash a value by its JSON, keys sorted."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def write_json(path: Path, value: Any) -> None:  # noqa: ANN401 - anything that JSON can hold
    """Write JSON so that the file is never seen half-written."""
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(path)


@dataclass(frozen=True, slots=True)
class ArrayFile:
    """An array on disk, with the JSON that says what made it."""

    path: Path

    @property
    def maker_path(self) -> Path:
        """Where the maker stands."""
        return self.path.with_suffix(".json")

    def maker(self) -> dict[str, Any] | None:
        """Read what made the array, or None when there is no finished array."""
        if not (self.path.exists() and self.maker_path.exists()):
            return None
        maker: dict[str, Any] = json.loads(self.maker_path.read_text(encoding="utf-8"))
        return maker

    def is_current(self, maker: Maker) -> bool:
        """Tell whether the finished array was made by this maker, whatever was measured then."""
        made = self.maker()
        if made is not None:
            made.pop(MEASURED, None)
        wanted: dict[str, Any] = json.loads(json.dumps(maker))
        return made == wanted

    def measured(self) -> dict[str, Any]:
        """Read what was measured while the finished array was made."""
        measured: dict[str, Any] = (self.maker() or {}).get(MEASURED, {})
        return measured

    def open(self) -> Array:
        """Open the finished array, memory-mapped and read-only."""
        array: Array = np.load(self.path, mmap_mode="r")
        return array


class PartialArray:
    """An array on its way; chunks that are written stay written when the process dies.

    Args:
        file: What it shall become.
        shape: Of the whole, the rows first.
        maker: What makes it; a leftover of another maker is thrown away.
        chunk_rows: Rows in a chunk; or where chunks begin, ascending, and where the last one ends.
        dtype: Of the whole.
    """

    def __init__(
        self,
        file: ArrayFile,
        shape: tuple[int, ...],
        maker: Maker,
        chunk_rows: int | Integers,
        dtype: npt.DTypeLike = np.float16,
    ) -> None:
        self.file = file
        self.shape = shape
        self.dtype = np.dtype(dtype)
        bounds = _bounds(shape[0], chunk_rows)
        self._stops = dict(pairwise(bounds))
        self._path = file.path.with_name(file.path.name + ".part")
        self._state_path = self._path.with_suffix(".part.json")
        head = {"maker": maker, "shape": shape, "dtype": str(self.dtype)}
        self._head = json.loads(json.dumps({**head, "chunks": fingerprint(bounds)}))
        self._done = self._recover()
        self._rows = self._open()

    def missing(self) -> Iterator[tuple[int, int]]:
        """Yield the (start, stop) of every chunk that is not written yet."""
        for start, stop in self._stops.items():
            if start not in self._done:
                yield start, stop

    def write(self, start: int, rows: Array) -> None:
        """Write one chunk, for good.

        Raises:
            ValueError: If it is not one row per item of the chunk that begins at `start`.
        """
        stop = self._stops[start]
        expected = (stop - start, *self.shape[1:])
        if rows.shape != expected:
            raise ValueError(
                f"{self.file.path.stem}: items {start} to {stop - 1} gave an array of shape"
                f" {rows.shape}, expected {expected}."
            )
        self._rows[start:stop] = rows
        self._rows.flush()
        self._done.add(start)
        write_json(self._state_path, {**self._head, "done": sorted(self._done)})

    def finish(self, measured: Mapping[str, Any] | None = None) -> None:
        """Turn it into the finished array, with what was measured on the way beside its maker."""
        del self._rows
        self.file.maker_path.unlink(missing_ok=True)
        self._path.replace(self.file.path)
        found = {} if measured is None else {MEASURED: measured}
        write_json(self.file.maker_path, {**self._head["maker"], **found})
        self._state_path.unlink(missing_ok=True)

    def _recover(self) -> set[int]:
        if self._state_path.exists():
            state = json.loads(self._state_path.read_text(encoding="utf-8"))
            done = set(state.pop("done"))
            if state == self._head:
                if self._was_killed_in_finish():
                    self.file.path.replace(self._path)
                return done if self._path.exists() else set()
        return set()

    def _was_killed_in_finish(self) -> bool:
        renamed = self.file.path.exists() and not self._path.exists()
        return renamed and not self.file.maker_path.exists()

    def _open(self) -> np.memmap[Any, Any]:
        if self._done:
            return np.lib.format.open_memmap(self._path, mode="r+")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._state_path.unlink(missing_ok=True)
        return np.lib.format.open_memmap(self._path, mode="w+", dtype=self.dtype, shape=self.shape)


def blocks(n_rows: int, size: int = 65536) -> Iterator[slice]:
    """Yield slices that cover `n_rows` rows, so that no pass copies a whole pool."""
    for start in range(0, n_rows, size):
        yield slice(start, min(start + size, n_rows))


def _bounds(n_rows: int, chunk_rows: int | Integers) -> list[int]:
    if isinstance(chunk_rows, int):
        return [*range(0, n_rows, chunk_rows), n_rows]
    bounds: list[int] = chunk_rows.tolist()
    return bounds
