"""What is damaged of a pool is noticed, and read again from its source."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

import hilt
from hilt.errors import WorkspaceError
from hilt.pipeline.workspace.workspace import Workspace
from hilt.progress import Silent

ROWS = "id,text\n" + "".join(f"i{n},text number {n}\n" for n in range(40))
DATA = "data-00000-of-00001.arrow"


class Listener(Silent):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "pool.csv").write_text(ROWS)
    (tmp_path / "test.csv").write_text("id,text,label\nt1,a test,a\nt2,another,b\n")
    path = tmp_path / "c.yaml"
    path.write_text(
        "pool: {path: pool.csv, id: id}\ntest: {path: test.csv, id: id}\nlabels: [a, b]\n"
    )
    return path


@pytest.fixture
def work(tmp_path: Path, config: Path) -> Path:
    hilt.init(tmp_path / "w", config).database.close()
    return tmp_path / "w"


def other_texts(path: Path) -> None:
    with pa.memory_map(str(path)) as source:
        table = pa.ipc.open_stream(source).read_all()
    place = table.column_names.index("text")
    texts = pa.array([f"Other number {n}" for n in range(len(table))])
    table = table.set_column(place, table.schema.field("text"), texts)
    path.unlink()
    with pa.ipc.new_stream(str(path), table.schema) as writer:
        writer.write_table(table)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:700]),
    "emptied": lambda path: path.write_bytes(b""),
    "gone": lambda path: path.unlink(),
    "other texts": other_texts,
    "garbage": lambda path: path.write_bytes(bytes(range(256)) * 4),
}
RECORDS = [b"", b"{", b"[]", b"7", b"{}", b'{"files": 3}', b"\xff", b"[" * 100_000]


def use(work: Path) -> Workspace:
    workspace = hilt.open_workspace(work)
    workspace.pool.texts(slice(2))
    assert workspace.test is not None
    workspace.test.texts(slice(2))
    return workspace


@pytest.mark.parametrize("part", ["pool", "test"])
@pytest.mark.parametrize("how", DAMAGE)
def test_damaged_items_are_named_and_read_again(
    work: Path, config: Path, part: str, how: str
) -> None:
    listener = Listener()
    DAMAGE[how](work / part / DATA)

    with pytest.raises(WorkspaceError, match=r"; run `hilt init .*`, which reads it again"):
        use(work)
    hilt.init(work, config, progress=listener).database.close()

    assert len(listener.said) == 1
    assert listener.said[0].endswith(f"it was read again from {work.parent / part}.csv.")
    assert use(work).pool.texts(slice(2)) == ["text number 0", "text number 1"]
    assert {path.name for path in work.iterdir()} >= {"pool", "test", "hilt.yaml", "state.db"}
    assert not list(work.glob("*.mended"))


@pytest.mark.parametrize("part", ["pool", "test"])
@pytest.mark.parametrize("content", RECORDS)
def test_a_damaged_record_is_named_and_made_again(
    work: Path, config: Path, part: str, content: bytes
) -> None:
    (work / part / "pool.json").write_bytes(content)

    with pytest.raises(WorkspaceError, match=r"; run `hilt init .*`, which reads it again"):
        use(work)
    hilt.init(work, config).database.close()

    use(work).database.close()


@pytest.mark.parametrize("name", ["state.json", "dataset_info.json"])
@pytest.mark.parametrize("content", RECORDS)
def test_what_a_pool_does_without_may_be_damaged(work: Path, name: str, content: bytes) -> None:
    (work / "pool" / name).write_bytes(content)

    assert len(use(work).pool.texts(slice(None))) == 40


def test_a_source_that_gives_other_items_mends_nothing(work: Path, config: Path) -> None:
    (work / "pool" / DATA).write_bytes(b"")
    (work.parent / "pool.csv").write_text(ROWS.replace("number 7", "number seven"))

    with pytest.raises(
        WorkspaceError, match="no longer has the items that were read from it; restore"
    ):
        hilt.init(work, config)

    assert (work / "pool" / DATA).read_bytes() == b""


def test_of_an_older_pool_the_number_of_items_is_known(work: Path) -> None:
    record = work / "pool" / "pool.json"
    begin, _, end = record.read_text().partition('"files": ')
    record.write_text(begin + '"files": {}\n}')
    assert end
    use(work).database.close()
    with pa.memory_map(str(work / "pool" / DATA)) as source:
        table = pa.ipc.open_stream(source).read_all()
    (work / "pool" / DATA).unlink()
    with pa.ipc.new_stream(str(work / "pool" / DATA), table.schema) as writer:
        writer.write_table(table.slice(0, 30))

    with pytest.raises(WorkspaceError, match="holds 30 items instead of 40"):
        use(work)
