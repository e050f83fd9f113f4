import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilt.blocks import blocks
from hilt.errors import WorkspaceError
from hilt.files import read_object, write_json
from hilt.pipeline.workspace import arrays
from hilt.pipeline.workspace.array_making import make_array, one_by_one
from hilt.pipeline.workspace.arrays import ArrayFile, PartialArray, fingerprint
from hilt.progress import Silent
from hilt.types import Floats

SHAPE = (10, 3)
MAKER = {"model": "m", "size": (1, 2)}
WHOLE = np.arange(30, dtype=np.float32).reshape(SHAPE)


class Killed(BaseException):
    """Stands for a process that ends."""


class Rows:
    """Gives rows of an array, counts the calls, and dies at one of them."""

    def __init__(self, whole: Floats = WHOLE, die_at: int | None = None) -> None:
        self.whole = whole
        self.die_at = die_at
        self.starts: list[int] = []

    def __call__(self, start: int, stop: int) -> Floats:
        if len(self.starts) == self.die_at:
            raise Killed
        self.starts.append(start)
        return self.whole[start:stop]


def make(file: ArrayFile, rows: Rows, maker: arrays.Maker = MAKER, chunk_rows: int = 4) -> bool:
    shape = (rows.whole.shape[0], rows.whole.shape[1])
    return make_array(
        file,
        shape,
        maker,
        one_by_one(rows),
        description="Making",
        progress=Silent(),
        chunk_rows=chunk_rows,
    )


def killed(file: ArrayFile, chunks: int, maker: arrays.Maker = MAKER) -> None:
    with pytest.raises(Killed):
        make(file, Rows(die_at=chunks), maker)


@pytest.fixture
def file(tmp_path: Path) -> ArrayFile:
    return ArrayFile(tmp_path / "deep" / "er" / "a.npy")


def names(file: ArrayFile) -> list[str]:
    return sorted(path.name for path in file.path.parent.iterdir())


def test_an_array_is_made_with_its_maker_and_nothing_else(file: ArrayFile) -> None:
    assert make(file, Rows())

    assert file.open().tolist() == WHOLE.tolist()
    assert file.open().dtype == np.float16
    assert not file.open().flags.writeable
    assert file.maker() == {"model": "m", "size": [1, 2]}
    assert names(file) == ["a.json", "a.npy"]


def test_a_finished_array_is_not_made_again(file: ArrayFile) -> None:
    again = Rows()
    make(file, Rows())

    assert not make(file, again)
    assert again.starts == []


def test_another_maker_makes_it_again(file: ArrayFile) -> None:
    make(file, Rows())

    assert make(file, Rows(WHOLE + 1), {"model": "n"})
    assert file.open().tolist() == (WHOLE + 1).tolist()


@pytest.mark.parametrize("chunks", [0, 1, 2])
def test_what_was_written_before_a_kill_is_not_made_again(file: ArrayFile, chunks: int) -> None:
    killed(file, chunks)
    rest = Rows()

    assert file.maker() is None
    make(file, rest)

    assert rest.starts == [0, 4, 8][chunks:]
    assert file.open().tolist() == WHOLE.tolist()
    assert names(file) == ["a.json", "a.npy"]


def test_an_array_stays_as_it_was_until_the_new_one_is_whole(file: ArrayFile) -> None:
    make(file, Rows())

    killed(file, 2, {"model": "n"})

    assert file.is_current(MAKER)
    assert file.open().tolist() == WHOLE.tolist()


def test_progress_counts_what_was_written_before(file: ArrayFile) -> None:
    partial = PartialArray(file, SHAPE, MAKER, 4)
    partial.write(4, WHOLE[4:8])

    assert list(PartialArray(file, SHAPE, MAKER, 4).missing()) == [(0, 4), (8, 10)]


def test_a_state_without_its_part_begins_anew(file: ArrayFile) -> None:
    killed(file, 2)
    (file.path.parent / "a.npy.part").unlink()
    rest = Rows()

    make(file, rest)

    assert rest.starts == [0, 4, 8]
    assert file.open().tolist() == WHOLE.tolist()


def test_a_part_without_its_state_begins_anew(file: ArrayFile) -> None:
    killed(file, 2)
    (file.path.parent / "a.npy.part.json").unlink()
    rest = Rows()

    make(file, rest)

    assert rest.starts == [0, 4, 8]


@pytest.mark.parametrize("chunk_rows", [4, 5])
def test_the_leftovers_of_another_maker_are_thrown_away(file: ArrayFile, chunk_rows: int) -> None:
    killed(file, 2)
    other = Rows(WHOLE + 1)

    make(file, other, {"model": "n"}, chunk_rows)

    assert other.starts[0] == 0
    assert file.open().tolist() == (WHOLE + 1).tolist()


def test_the_leftovers_of_another_shape_are_thrown_away(file: ArrayFile) -> None:
    killed(file, 2)
    wider = np.ones((10, 5), dtype=np.float32)

    make(file, Rows(wider))

    assert file.open().tolist() == wider.tolist()


@pytest.mark.parametrize("before", [False, True], ids=["first time", "over an older array"])
@pytest.mark.parametrize("step", ["unlink", "replace", "write_json"])
def test_a_kill_within_finish_loses_nothing(
    file: ArrayFile, monkeypatch: pytest.MonkeyPatch, step: str, before: bool
) -> None:
    for maker in [{"model": "old"}] * before:
        make(file, Rows(WHOLE + 1), maker)
    partial = PartialArray(file, SHAPE, MAKER, 10)
    partial.write(0, WHOLE)

    def die(*_args: object, **_keywords: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(arrays if step == "write_json" else Path, step, die)
        with pytest.raises(Killed):
            partial.finish()
    rest = Rows()
    make(file, rest, MAKER, 10)

    assert rest.starts == []
    assert file.open().tolist() == WHOLE.tolist()
    assert file.is_current(MAKER)
    assert names(file) == ["a.json", "a.npy"]


def test_a_kill_after_the_maker_is_written_leaves_a_finished_array(file: ArrayFile) -> None:
    make(file, Rows())
    head = {"maker": {"model": "m", "size": [1, 2]}, "shape": SHAPE, "chunk": 4}
    write_json(file.path.parent / "a.npy.part.json", {**head, "done": [0, 4, 8]})
    rest, other = Rows(), Rows(WHOLE + 1)

    assert not make(file, rest)
    assert make(file, other, {"model": "n"})
    assert other.starts == [0, 4, 8]


@pytest.mark.parametrize("rows", [WHOLE[:3], WHOLE[:5], WHOLE[:4, :2], WHOLE[0], WHOLE[:1]])
def test_rows_of_the_wrong_shape_are_refused(file: ArrayFile, rows: Floats) -> None:
    partial = PartialArray(file, SHAPE, MAKER, 4)

    with pytest.raises(ValueError, match=r"a: items 0 to 3 returned an array of shape .* \(4, 3\)"):
        partial.write(0, rows)


def test_chunks_may_be_of_unequal_length(file: ArrayFile) -> None:
    bounds = np.array([0, 1, 7, 10])
    partial = PartialArray(file, SHAPE, MAKER, bounds)
    partial.write(1, WHOLE[1:7])

    assert list(PartialArray(file, SHAPE, MAKER, bounds).missing()) == [(0, 1), (7, 10)]
    assert list(PartialArray(file, SHAPE, MAKER, bounds[[0, 2, 3]]).missing()) == [(0, 7), (7, 10)]


@pytest.mark.parametrize("dtype", [np.dtype(np.int32), np.dtype([("a", np.int32), ("b", "f2")])])
def test_an_array_may_hold_anything_in_any_number_of_dimensions(
    file: ArrayFile, dtype: np.dtype[Any]
) -> None:
    whole = np.arange(10).astype(dtype)

    partial = PartialArray(file, (10,), MAKER, 4, dtype)
    for start, stop in partial.missing():
        partial.write(start, whole[start:stop])
    partial.finish()

    assert file.open().tolist() == whole.tolist()
    assert file.open().dtype == dtype


def test_what_was_measured_stands_beside_the_maker_and_decides_nothing(file: ArrayFile) -> None:
    assert file.measured() == {}

    partial = PartialArray(file, SHAPE, MAKER, 10)
    partial.write(0, WHOLE)
    partial.finish({"recall": 0.9})

    assert file.measured() == {"recall": 0.9}
    assert file.is_current(MAKER)
    assert not make(file, Rows())


@given(n_rows=st.integers(1, 40), chunk_rows=st.integers(1, 50), die_at=st.integers(0, 40))
def test_any_chunk_size_gives_the_same_array_after_a_kill(
    n_rows: int, chunk_rows: int, die_at: int
) -> None:
    whole = np.random.default_rng(n_rows).random((n_rows, 2), dtype=np.float32)
    with TemporaryDirectory() as folder:
        file = ArrayFile(Path(folder) / "a.npy")
        first, rest = Rows(whole, die_at), Rows(whole)
        try:
            make(file, first, chunk_rows=chunk_rows)
        except Killed:
            make(file, rest, chunk_rows=chunk_rows)

        assert first.starts + rest.starts == list(range(0, n_rows, chunk_rows))
        assert np.array_equal(file.open(), whole.astype(np.float16))


KILLED_MIDWAY = """
import os, signal, sys
import numpy as np
from pathlib import Path
from hilt.pipeline.workspace.arrays import ArrayFile
from hilt.pipeline.workspace.array_making import make_array, one_by_one
from hilt.progress import Silent

def rows_of(start, stop):
    if start >= int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    return np.arange(30, dtype=np.float32).reshape(10, 3)[start:stop]

make_array(ArrayFile(Path(sys.argv[1])), (10, 3), {"model": "m", "size": (1, 2)},
           one_by_one(rows_of), description="Making", progress=Silent(), chunk_rows=2)
"""


def test_a_killed_process_is_taken_up_by_the_next(file: ArrayFile) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED_MIDWAY, str(file.path), "6"], check=False)
    rest = Rows()

    make(file, rest, chunk_rows=2)

    assert done.returncode == -9
    assert rest.starts == [6, 8]
    assert file.open().tolist() == WHOLE.tolist()


# Damage


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def overwritten(path: Path) -> None:
    path.write_bytes(bytes(range(188)))


def lengthened(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")


def short(path: Path) -> None:
    np.save(path, np.load(path)[:-2])


def of_another_type(path: Path) -> None:
    np.save(path, np.load(path).astype(np.float32))


def of_objects(path: Path) -> None:
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)


def of_nan(path: Path) -> None:
    np.save(path, np.load(path) * np.nan)


def gone(path: Path) -> None:
    path.unlink()


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


DAMAGE = [cut, emptied, overwritten, lengthened, short, of_another_type, of_objects, of_nan, gone]


class Listener(Silent):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)


def make_again(file: ArrayFile, rows: Rows) -> list[str]:
    listener = Listener()
    made = make_array(
        file,
        SHAPE,
        MAKER,
        one_by_one(rows),
        description="Making",
        progress=listener,
        chunk_rows=4,
    )
    assert made == bool(rows.starts)
    return listener.said


@pytest.mark.parametrize("damage", [*DAMAGE, a_pipe])
def test_a_damaged_array_is_not_opened_and_made_again(
    file: ArrayFile, damage: Callable[[Path], None]
) -> None:
    make(file, Rows())
    damage(file.path)
    later(file.path)
    rows = Rows()

    with pytest.raises(WorkspaceError, match=r"a\.npy is (damaged|gone).*; make it again\.$"):
        file.open()
    assert not file.is_current(MAKER)
    said = make_again(file, rows)

    assert len(said) == 1
    assert said[0].startswith(f"{file.path} is ")
    assert said[0].endswith("; it is made again.")
    assert rows.starts == [0, 4, 8]
    assert file.open().tolist() == WHOLE.tolist()
    assert names(file) == ["a.json", "a.npy"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"7", b"\xff\xfe", b"[" * 100_000])
def test_an_array_whose_maker_is_damaged_is_made_again(file: ArrayFile, content: bytes) -> None:
    make(file, Rows())
    file.maker_path.write_bytes(content)
    rows = Rows()

    assert file.maker() is None
    assert make_again(file, rows) == [
        f"{file.maker_path} is damaged: it contains no JSON object; it is made again."
    ]
    assert rows.starts == [0, 4, 8]
    assert file.is_current(MAKER)


def test_the_message_names_the_command_that_makes_it(file: ArrayFile) -> None:
    make(file, Rows())
    cut(file.path)

    with pytest.raises(WorkspaceError, match="; run `hilt propose w`, which makes it again"):
        ArrayFile(file.path, "hilt propose w").open()


def test_values_that_changed_with_the_clock_set_back_are_found_by_whoever_makes_them(
    file: ArrayFile,
) -> None:
    make(file, Rows())
    before = file.path.stat().st_mtime_ns
    of_nan(file.path)
    os.utime(file.path, ns=(before, before))

    assert file.find_fault() is None
    assert file.find_fault(thorough=True) is not None


def test_a_copy_is_read_once_and_trusted_after_that(file: ArrayFile) -> None:
    make(file, Rows())
    later(file.path)

    assert file.find_fault() is None
    assert make_again(file, Rows()) == []
    assert read_object(file.maker_path)["content"]["mtime_ns"] == file.path.stat().st_mtime_ns  # type: ignore[index]


@pytest.mark.parametrize("damage", [cut, emptied, lengthened, overwritten, gone])
def test_of_an_array_of_an_older_hilt_the_length_is_known(
    file: ArrayFile, damage: Callable[[Path], None]
) -> None:
    make(file, Rows())
    write_json(file.maker_path, MAKER)

    assert file.find_fault(thorough=True) is None
    damage(file.path)
    assert file.find_fault() is not None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"done": 3}', b'{"done": [0]}', b"\xff"])
@pytest.mark.parametrize("ending", [".part", ".part.json"])
def test_a_damaged_leftover_is_thrown_away(file: ArrayFile, content: bytes, ending: str) -> None:
    killed(file, 2)
    file.path.with_name(f"a.npy{ending}").write_bytes(content)
    rest = Rows()

    make(file, rest)

    assert rest.starts == [0, 4, 8]
    assert file.open().tolist() == WHOLE.tolist()


def test_a_damaged_array_is_not_taken_for_one_of_a_kill_within_finish(file: ArrayFile) -> None:
    make(file, Rows())
    partial = PartialArray(file, SHAPE, MAKER, 4)
    for start, stop in partial.missing():
        partial.write(start, WHOLE[start:stop])
    file.part_path.unlink()  # a kill came right before the state was removed
    of_nan(file.path)
    later(file.path)

    make_again(file, Rows())

    assert file.open().tolist() == WHOLE.tolist()


NO_ROOM = """
import resource, sys
import numpy as np
from pathlib import Path
from hilt.errors import OutputError
from hilt.pipeline.workspace.arrays import ArrayFile, PartialArray

resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
file = ArrayFile(Path(sys.argv[1]))
if sys.argv[2] == "later":
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
try:
    partial = PartialArray(file, (1000, 300), {}, 500)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
    partial.write(0, np.ones((500, 300)))
except OutputError as error:
    print(error)
"""


@pytest.mark.parametrize("when", ["at once", "later"])
def test_an_array_for_which_there_is_no_room_ends_in_a_sentence(file: ArrayFile, when: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", NO_ROOM, str(file.path), when],
        check=True,
        capture_output=True,
        text=True,
    )

    assert done.stdout == (
        f"{file.part_path} cannot be written: File too large; free space on its disk, and run the"
        " same command again.\n"
    )
    assert when == "later" or names(file) == []


def later(path: Path) -> None:
    """Let a file have changed a second later, for a test is faster than some clocks."""
    if path.exists():
        time = path.stat().st_mtime_ns + 10**9
        os.utime(path, ns=(time, time))


def test_a_fingerprint_depends_on_values_and_not_on_the_order_of_keys() -> None:
    assert fingerprint({"a": 1, "b": [2]}) == fingerprint({"b": [2], "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})


@given(st.integers(0, 100), st.integers(1, 30))
def test_blocks_cover_every_row_once(n_rows: int, size: int) -> None:
    covered = [row for block in blocks(n_rows, size) for row in range(n_rows)[block]]

    assert covered == list(range(n_rows))
