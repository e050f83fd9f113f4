"""Which rows of an array are which items', and how they are made in chunks of whole items."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from hilt.pipeline.pools.pool import Where
from hilt.pipeline.proposing.chunks import in_asked_chunks, in_chunks
from hilt.pipeline.runners.local import Local
from hilt.pipeline.workspace.array_making import make_array
from hilt.pipeline.workspace.arrays import ArrayFile
from hilt.pipeline.workspace.row_layout import RowLayout
from hilt.progress import Progress, Silent
from hilt.rows import Rows
from hilt.types import Floats, Items
from tests.toys.words import Words

TEXTS = ["one two three", "", "four", "five six", "", "seven eight", ""]
TASK = Words(("good", "bad"))
LAYOUT = RowLayout(len(TEXTS), 3, TASK.rows.offsets(TEXTS))


class Pool:
    """Items with these texts."""

    def __len__(self) -> int:
        return len(TEXTS)

    def items(self, where: Where) -> Items:
        indices = np.arange(len(TEXTS))[where].tolist()
        return Items([f"i{index}" for index in indices], [TEXTS[index] for index in indices])


class Counting:
    """Keeps what a bar would show."""

    def __init__(self) -> None:
        self.total, self.done = 0, [0]

    @contextmanager
    def task(self, description: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        self.total = total
        yield lambda amount: self.done.append(self.done[-1] + amount)

    def note(self, text: str) -> None:
        pytest.fail(text)


class Lengths:
    """Work that writes the length of each word into its row."""

    name = "Counting"

    def identity(self) -> dict[str, str]:
        return {}

    def open(self) -> Callable[[Items], Floats]:
        return lambda items: np.array(
            [[len(word)] * 3 for text in items.contents for word in text.split()], dtype=np.float32
        ).reshape(-1, 3)


@pytest.fixture
def made(tmp_path: object) -> Callable[..., Rows]:
    """Make an array of such rows, in chunks of so many items."""

    def make(
        chunk: int,
        asked: Iterable[int] | None = None,
        old: Floats | None = None,
        progress: Progress | None = None,
    ) -> Rows:
        file = ArrayFile(tmp_path / "array.npy")  # type: ignore[operator]
        done = (Local(), Lengths(), Pool(), None)
        make_array(
            file,
            LAYOUT.shape,
            {"made": "so"},
            in_chunks(*done, LAYOUT)  # type: ignore[arg-type]
            if asked is None
            else in_asked_chunks(*done, asked=np.array([*asked]), layout=LAYOUT),  # type: ignore[arg-type]
            description="Making",
            progress=progress or Silent(),
            chunk_rows=LAYOUT.chunks(chunk),
            old=old,
            layout=LAYOUT,
        )
        return Rows(file.open(), LAYOUT.offsets)

    return make


def test_an_array_of_one_row_an_item_lies_as_it_always_did() -> None:
    layout = RowLayout(5000, 4)

    assert layout.shape == (5000, 4)
    assert layout.chunks() == 2048
    assert layout.items(2048, 4096) == slice(2048, 4096)


@pytest.mark.parametrize("chunk", [1, 2, 3, 100])
def test_rows_come_from_whole_items_whatever_the_chunk(
    made: Callable[..., Rows], chunk: int
) -> None:
    rows = made(chunk)

    assert len(rows) == len(TEXTS)
    assert rows.values[:, 0].tolist() == [3, 3, 5, 4, 4, 3, 5, 5]
    assert rows.of(3)[:, 0].tolist() == [4, 3]


@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_items_that_are_not_asked_about_are_abstentions(
    made: Callable[..., Rows], chunk: int
) -> None:
    rows = made(chunk, asked=[0, 1, 5])

    assert rows.answered.tolist() == [True, True, False, False, True, True, True]
    assert rows.of(5)[:, 0].tolist() == [5, 5]


def test_the_rows_of_items_that_were_there_before_are_kept(made: Callable[..., Rows]) -> None:
    rows = made(3, old=np.full((4, 3), 9, dtype=np.float16))  # of the first three items

    assert rows.values[:, 0].tolist() == [9, 9, 9, 9, 4, 3, 5, 5]


@pytest.mark.parametrize("chunk", [1, 2, 3, 100])
def test_progress_counts_items_and_not_their_rows(made: Callable[..., Rows], chunk: int) -> None:
    progress = Counting()

    made(chunk, progress=progress)

    assert (progress.total, progress.done[-1]) == (len(TEXTS), len(TEXTS))
    assert progress.done == sorted(progress.done)
