"""Arrays on disk: written atomically, in chunks that survive a kill, each with its maker.

Beside `embeddings.npy` stands `embeddings.json` with what made it, and its length and
checksum. While an array is being made, both carry the suffix `.part`; the array is renamed
first and its maker last, so that an array is current only when its maker says so.

Whoever could make an array again looks at it thoroughly (`contents.py`), everybody else does not.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hilt.contents import Content
from hilt.errors import WorkspaceError
from hilt.files import read_object, sentences, write_json
from hilt.types import Integers

Array = npt.NDArray[Any]
Maker = Mapping[str, Any]
MEASURED = "measured"  # the key under which the JSON holds what the making found out
CONTENT = "content"  # the key under which it holds what the file came to
MEND = "correct that, and run the same command again"
UNSUPPORTED = (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)


def fingerprint(value: Any) -> str:  # noqa: ANN401 - anything that JSON can hold
    """Hash a value by its JSON, keys sorted."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class ArrayFile:
    """An array on disk, with the JSON that says what made it.

    Attributes:
        path: Where it is.
        made_by: The command that makes it, for whoever finds it damaged.
    """

    path: Path
    made_by: str = ""

    @property
    def maker_path(self) -> Path:
        """Where the maker stands."""
        return self.path.with_suffix(".json")

    @property
    def part_path(self) -> Path:
        """Where the array stands while it is being made."""
        return self.path.with_name(self.path.name + ".part")

    @property
    def state_path(self) -> Path:
        """Where it stands meanwhile which of its chunks are written."""
        return self.path.with_name(self.path.name + ".part.json")

    def maker(self) -> dict[str, Any] | None:
        """Read what made the array, or None when there is no finished array."""
        if not self.path.exists():
            return None
        record = read_object(self.maker_path)
        if record is not None:
            record.pop(CONTENT, None)
        return record

    def made_of(self) -> dict[str, Any] | None:
        """Read what made the array, without what was measured then."""
        made = self.maker()
        if made is not None:
            made.pop(MEASURED, None)
        return made

    def is_current(self, maker: Maker) -> bool:
        """Tell whether this maker made the array, whatever was measured then, and it is whole.

        Whole as far as `open` looks.
        """
        wanted: dict[str, Any] = json.loads(json.dumps(maker))
        return self.made_of() == wanted and self.find_fault() is None

    def measured(self) -> dict[str, Any]:
        """Read what was measured while the finished array was made."""
        measured: dict[str, Any] = (self.maker() or {}).get(MEASURED, {})
        return measured

    def open(self) -> Array:
        """Open the finished array, memory-mapped and read-only.

        Raises:
            WorkspaceError: If it is damaged.
        """
        fault = self.find_fault()
        if fault is not None:
            way_on = (
                f"run `{self.made_by}`, which makes it again" if self.made_by else "make it again"
            )
            raise WorkspaceError(f"{fault}; {way_on}.")
        array: Array = np.load(self.path, mmap_mode="r")
        return array

    def find_fault(self, *, thorough: bool = False) -> str | None:
        """Say in a clause how the files differ from what was written.

        Args:
            thorough: Read all of the array, however unsuspicious it is.

        Returns:
            None where they do not, or where no array was finished. Of an array that an older hilt
            made it is known only whether its length is that of its shape.
        """
        record = read_object(self.maker_path)
        fault = self._fault(record, thorough)
        if fault is not None and read_object(self.maker_path) != record:
            return self.find_fault(thorough=thorough)  # another command finishes it right now
        return fault

    def discard(self) -> None:
        """Take away what says that the array is finished, or was about to be."""
        with sentences(self.path, MEND):
            self.maker_path.unlink(missing_ok=True)
            if not self.part_path.exists():
                self.state_path.unlink(missing_ok=True)

    def trust(self) -> None:
        """Note when the array changed last; all of it was found to be right just now."""
        record = read_object(self.maker_path) or {}
        written, time = record.get(CONTENT), self.path.stat().st_mtime_ns
        if isinstance(written, dict) and written.get("mtime_ns") != time:
            write_json(self.maker_path, record | {CONTENT: written | {"mtime_ns": time}})

    def _fault(self, record: Mapping[str, Any] | None, thorough: bool) -> str | None:
        if record is None:
            torn = self.maker_path.exists()
            return f"{self.maker_path} is damaged: it contains no JSON object" if torn else None
        try:
            _head(self.path)
            content = Content.read(record.get(CONTENT))
            fault = None if content is None else content.difference(self.path, thorough=thorough)
        except FileNotFoundError:
            return f"{self.path} is gone"
        except OSError as error:
            return f"{self.path} cannot be read: {error.strerror}"
        except ValueError:
            return f"{self.path} is damaged: it is not a complete array"
        return None if fault is None else f"{self.path} {fault}"


class PartialArray:
    """An array on its way; chunks that are written stay written when the process dies.

    Room for all of it is taken at once, where the file system can do that, so that a disk that is
    too small says so before the work begins.

    Args:
        file: What it shall become.
        shape: Of the whole, the rows first.
        maker: What makes it; a leftover of another maker is thrown away.
        chunk_rows: Rows in a chunk; or where chunks begin, ascending, and where the last one ends.
        dtype: Of the whole.

    Raises:
        OutputError: If the disk does not take it.
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
        self._path, self._state_path = file.part_path, file.state_path
        head = {"maker": maker, "shape": shape, "dtype": str(self.dtype)}
        self._head = json.loads(json.dumps({**head, "chunks": fingerprint(bounds)}))
        with sentences(self._path, MEND):
            self._done = self._recover()
            if not self._done:
                self._begin()

    def missing(self) -> Iterator[tuple[int, int]]:
        """Yield the (start, stop) of every chunk that is not written yet."""
        for start, stop in self._stops.items():
            if start not in self._done:
                yield start, stop

    def write(self, start: int, rows: Array) -> None:
        """Write one chunk, for good.

        Raises:
            ValueError: If it is not one row per item of the chunk that begins at `start`.
            OutputError: If the disk does not take it.
        """
        stop = self._stops[start]
        expected = (stop - start, *self.shape[1:])
        if rows.shape != expected:
            raise ValueError(
                f"{self.file.path.stem}: items {start} to {stop - 1} returned an array of shape"
                f" {rows.shape}, expected {expected}."
            )
        # Not through a memory map: a disk that fills under one ends the process with SIGBUS.
        with sentences(self._path, MEND), self._path.open("rb+") as file:
            file.seek(start * self._row_bytes - self._bytes, os.SEEK_END)
            file.write(np.ascontiguousarray(rows, dtype=self.dtype).tobytes())
            file.flush()
            os.fsync(file.fileno())
        self._done.add(start)
        write_json(self._state_path, {**self._head, "done": sorted(self._done)})

    def finish(self, measured: Mapping[str, Any] | None = None) -> None:
        """Turn it into the finished array, with what was measured on the way beside its maker."""
        content = asdict(Content.of(self._path))
        found = {} if measured is None else {MEASURED: measured}
        with sentences(self.file.path, MEND):
            self.file.maker_path.unlink(missing_ok=True)
            self._path.replace(self.file.path)
            write_json(self.file.maker_path, {**self._head["maker"], **found, CONTENT: content})
            self._state_path.unlink(missing_ok=True)

    @property
    def _row_bytes(self) -> int:
        return self.dtype.itemsize * math.prod(self.shape[1:])

    @property
    def _bytes(self) -> int:
        return self.shape[0] * self._row_bytes

    def _recover(self) -> set[int]:
        state = read_object(self._state_path)
        if state is None:
            return set()
        done = state.pop("done", None)
        if state != self._head or not _is_subset(done, self._stops):
            return set()
        if self._was_killed_in_finish():
            self.file.path.replace(self._path)
        return set(done) if self._is_whole() else set()

    def _is_whole(self) -> bool:
        """Tell whether the part is an array of this shape, of which chunks may be missing."""
        try:
            head = _head(self._path)
        except (OSError, ValueError):
            return False
        return head == {"shape": list(self.shape), "dtype": str(self.dtype)}

    def _was_killed_in_finish(self) -> bool:
        renamed = self.file.path.exists() and not self._path.exists()
        return renamed and not self.file.maker_path.exists()

    def _begin(self) -> None:
        """Write what stands before the rows, and take the room for them."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._state_path.unlink(missing_ok=True)
        self._path.unlink(missing_ok=True)
        descr = np.lib.format.dtype_to_descr(self.dtype)
        header = {"descr": descr, "fortran_order": False, "shape": self.shape}
        try:
            with self._path.open("wb") as file:
                np.lib.format.write_array_header_1_0(file, header)
                file.flush()
                _allocate(file.fileno(), file.tell() + self._bytes)
        except OSError:
            self._path.unlink(missing_ok=True)
            raise


def _bounds(n_rows: int, chunk_rows: int | Integers) -> list[int]:
    if isinstance(chunk_rows, int):
        return [*range(0, n_rows, chunk_rows), n_rows]
    bounds: list[int] = chunk_rows.tolist()
    return bounds


def _is_subset(numbers: object, known: Mapping[int, int]) -> bool:
    if not isinstance(numbers, list):
        return False
    return all(isinstance(number, int) and number in known for number in numbers)


def _allocate(descriptor: int, size: int) -> None:
    """Make a file so long, of blocks that are there and not merely promised."""
    os.ftruncate(descriptor, size)
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(descriptor, 0, size)
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise


def _head(path: Path) -> dict[str, Any]:
    """Read the head of an array, its shape and its type, and make sure that its length fits.

    Raises:
        OSError: If there is none, or it cannot be read.
        ValueError: If it is no array, or its length is not that of its shape.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{path} is not a file")
    try:
        array = np.lib.format.open_memmap(path, mode="r")
    except OSError:
        raise
    except Exception as error:  # a header can be wrong in any way
        raise ValueError(f"{path} is not an array: {error}") from None
    if array.offset + array.nbytes != status.st_size:
        raise ValueError(f"{path} is longer than its array")
    return {"shape": list(array.shape), "dtype": str(array.dtype)}
