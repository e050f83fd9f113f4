"""How the rows of an array are made, those that are missing, and become a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hilt.pipeline.workspace.arrays import Array, ArrayFile, Maker, PartialArray
from hilt.pipeline.workspace.row_layout import RowLayout
from hilt.progress import Progress
from hilt.types import Integers

Stretch = tuple[int, int]  # rows start to stop
RowsOf = Callable[[int, int], Array]
Sink = Callable[[int, Array], None]
Fill = Callable[[Sequence[Stretch], Sink], None]  # hands over the rows of every stretch


def is_made(file: ArrayFile, maker: Maker, progress: Progress) -> bool:
    """Tell whether this maker made the array, and all of it is as it was written.

    One that is damaged is said, and no longer counts as finished.
    """
    fault = file.find_fault()
    if fault is None and file.is_current(maker):
        fault = file.find_fault(thorough=True)
        if fault is None:
            file.trust()
            return True
    if fault is not None:
        progress.note(f"{fault}; it is made again.")
        file.discard()
    return False


def make_array(
    file: ArrayFile,
    shape: tuple[int, ...],
    maker: Maker,
    fill: Fill,
    *,
    description: str,
    progress: Progress,
    chunk_rows: int | Integers = 2048,
    dtype: npt.DTypeLike = np.float16,
    measured: Mapping[str, Any] | None = None,
    old: Array | None = None,
    layout: RowLayout | None = None,
) -> bool:
    """Make an array unless the same maker made it already.

    Args:
        file: Where it goes.
        shape: Of the whole, the rows first.
        maker: What decides its content; an equal one on disk means that nothing is to be done.
        fill: Given the stretches of rows that are missing, hands over the rows of each with
            where they start.
        description: What the progress bar says.
        progress: Who looks.
        chunk_rows: Rows that are made, and saved, at once; or where such chunks begin, ascending,
            and where the last one ends.
        dtype: Of the whole.
        measured: What to write down beside the maker.
        old: From `made_before`: the rows of the items that were there before others were
            appended; they are kept.
        layout: Which rows are which items', so that progress counts these; None where each item
            has one row.

    Returns:
        Whether anything was made.
    """
    if is_made(file, maker, progress):
        return False
    partial = PartialArray(file, shape, maker, chunk_rows, dtype)
    layout = layout or RowLayout(shape[0], 1)
    with progress.task(description, layout.n_items, "items") as advance:
        missing = list(partial.missing())
        advance(layout.n_items - sum(layout.count(*each) for each in missing))

        def sink(start: int, rows: Array) -> None:
            partial.write(start, rows)
            advance(layout.count(start, start + len(rows)))

        if old is None:
            fill(missing, sink)
        else:
            _keep(old, missing, fill, sink)
    partial.finish(measured)
    return True


def made_before(file: ArrayFile, before: Iterable[Maker]) -> Array | None:
    """Open the array on disk if one of these made it: the beginning of what is to be made.

    Args:
        file: Where it is.
        before: What its maker was before items were appended.
    """
    whole = any(file.is_current(maker) for maker in before) and not file.find_fault(thorough=True)
    return file.open() if whole else None


def one_by_one(rows_of: RowsOf) -> Fill:
    """Make one stretch of rows after the other in this process.

    Args:
        rows_of: Gives rows start to stop.
    """

    def fill(missing: Sequence[Stretch], sink: Sink) -> None:
        for start, stop in missing:
            sink(start, rows_of(start, stop))

    return fill


def _keep(old: Array, missing: Sequence[Stretch], fill: Fill, sink: Sink) -> None:
    """Take the rows that are there already, and make those that come after them."""
    rest, starts = [], {}
    for start, stop in missing:
        if stop <= len(old):
            sink(start, old[start:stop])
        else:
            first = max(start, len(old))
            starts[first] = start
            rest.append((first, stop))

    def sink_rest(first: int, rows: Array) -> None:
        start = starts[first]
        if start < first:
            rows = np.concatenate([old[start:], rows.astype(old.dtype)])
        sink(start, rows)

    fill(rest, sink_rest)
