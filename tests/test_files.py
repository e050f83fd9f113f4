import os
import stat
from pathlib import Path

import pytest

from hilt.errors import OutputError
from hilt.files import read_object, room_for, sentences, whole_file, write_json


def test_a_json_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"a": "ä"})

    with pytest.raises(TypeError):
        write_json(path, {"a": object()})

    assert path.read_text(encoding="utf-8") == '{\n "a": "ä"\n}\n'


def test_what_is_not_whole_is_not_seen(tmp_path: Path) -> None:
    def die(path: Path) -> None:
        with whole_file(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        die(tmp_path / "a.txt")

    assert not any(tmp_path.iterdir())


def test_a_file_is_as_readable_as_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_json(tmp_path / "a.json", {})
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "a.json").stat().st_mode) == 0o640


def test_a_file_in_the_place_of_a_folder_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(
        OutputError, match=r"file/a\.json cannot be written: Not a directory; correct"
    ):
        write_json(tmp_path / "file" / "a.json", {})


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"7", b"\xff", b"[" * 100_000])
def test_only_an_object_is_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)

    assert read_object(tmp_path / "a.json") is None
    assert read_object(tmp_path / "b.json") is None


def test_a_full_disk_is_told_from_other_faults(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match="No space left on device; free space"),
        sentences(tmp_path),
    ):
        Path("/dev/full").write_text("x")
    with (
        pytest.raises(OutputError, match="No space left on device; free space"),
        room_for(tmp_path),
    ):
        Path("/dev/full").write_text("x")
    with pytest.raises(FileNotFoundError), room_for(tmp_path):
        (tmp_path / "nowhere").read_text()
