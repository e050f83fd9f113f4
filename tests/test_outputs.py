"""What hilt may replace, and what it never touches."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from hilt.errors import OutputError
from hilt.output_manifest import MANIFEST
from hilt.outputs import Ledger, folder_in_place, output_file, output_folder

WriteFile = Callable[..., None]


def write(path: Path, text: str = "new", **options: object) -> None:
    with output_file(path, **options) as temporary:  # type: ignore[arg-type]
        temporary.write_text(text)


def fill(path: Path, text: str = "new", **options: object) -> None:
    with output_folder(path, "release", **options) as temporary:  # type: ignore[arg-type]
        (temporary / "part").mkdir()
        (temporary / "part" / "data.txt").write_text(text)


def make_workspace(folder: Path) -> Path:
    (folder / "pool").mkdir(parents=True)
    (folder / "hilt.yaml").write_text("labels: [a, b]")
    (folder / "pool" / "pool.json").write_text("{}")
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# -- files ----------------------------------------------------------------------------------------


def test_a_new_file_appears_whole_and_readable_as_the_umask_says(tmp_path: Path) -> None:
    umask = os.umask(0o027)
    try:
        with output_file(tmp_path / "deep" / "out.csv") as temporary:
            temporary.write_text("new")
            assert not (tmp_path / "deep" / "out.csv").exists()
    finally:
        os.umask(umask)

    assert names(tmp_path / "deep") == ["out.csv"]
    assert stat.S_IMODE((tmp_path / "deep" / "out.csv").stat().st_mode) == 0o640


def test_a_file_that_hilt_wrote_and_nobody_changed_is_replaced(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "outputs.json")
    write(tmp_path / "out.csv", "first", ledger=ledger)

    write(tmp_path / "out.csv", "second", ledger=ledger)

    assert (tmp_path / "out.csv").read_text() == "second"
    assert names(tmp_path) == ["out.csv", "outputs.json"]


@pytest.mark.parametrize("remembered", [True, False])
def test_a_file_of_somebody_elses_stays(tmp_path: Path, remembered: bool) -> None:
    ledger = Ledger(tmp_path / "outputs.json")
    if remembered:
        write(tmp_path / "out.csv", ledger=ledger)
    (tmp_path / "out.csv").write_text("mine")

    with pytest.raises(
        OutputError,
        match=r"exists already.*changed since\. .*--force.*out\.csv\.bak-1",
    ):
        write(tmp_path / "out.csv", ledger=ledger)

    assert (tmp_path / "out.csv").read_text() == "mine"


def test_force_moves_a_file_aside_and_says_where(tmp_path: Path) -> None:
    said: list[str] = []
    for number in range(3):
        (tmp_path / "out.csv").write_text(f"mine {number}")
        write(tmp_path / "out.csv", force=True, note=said.append)

    assert [(tmp_path / f"out.csv.bak-{n + 1}").read_text() for n in range(3)] == [
        "mine 0",
        "mine 1",
        "mine 2",
    ]
    assert said[0].endswith("out.csv.bak-1.")


@pytest.mark.parametrize("force", [True, False])
def test_an_input_is_never_written_over(tmp_path: Path, force: bool) -> None:
    (tmp_path / "new.csv").write_text("mine")
    (tmp_path / "same.csv").hardlink_to(tmp_path / "new.csv")

    with pytest.raises(OutputError, match="This command reads"):
        write(tmp_path / "same.csv", force=force, inputs=[tmp_path / "new.csv"])

    assert (tmp_path / "new.csv").read_text() == "mine"


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="halfway"), output_file(tmp_path / "a" / "b" / "out.csv"):
        raise ValueError("halfway")
    with pytest.raises(ValueError, match="halfway"), output_folder(tmp_path / "c" / "out", "x"):
        raise ValueError("halfway")

    assert names(tmp_path) == []


def test_a_file_that_appears_during_the_work_stays(tmp_path: Path) -> None:
    def work() -> None:
        with output_file(tmp_path / "out.csv") as temporary:
            temporary.write_text("new")
            (tmp_path / "out.csv").write_text("mine")

    with pytest.raises(OutputError, match="exists already"):
        work()

    assert (tmp_path / "out.csv").read_text() == "mine"
    assert names(tmp_path) == ["out.csv"]


# -- places where neither a file nor a folder may go ----------------------------------------------


def _link(place: Path) -> None:
    (place.parent / "elsewhere").mkdir()
    place.symlink_to("elsewhere")


def _dangling_link(place: Path) -> None:
    place.symlink_to("nowhere")


def _pipe(place: Path) -> None:
    os.mkfifo(place)


def _workspace(place: Path) -> None:
    make_workspace(place)


def _below_a_file(place: Path) -> None:
    place.write_text("mine")


def _full_folder(place: Path) -> None:
    place.mkdir()
    (place / "thesis.txt").write_text("mine")


BAD_PLACES = {
    "link": (_link, "x", "is a symbolic link"),
    "dangling": (_dangling_link, "x", "is a symbolic link"),
    "pipe": (_pipe, "x", "is a device or a pipe"),
    "workspace": (_workspace, "x", "workspace|folder"),
    "inside a workspace": (_workspace, "x/out", "is in the workspace"),
    "deep inside a workspace": (_workspace, "x/pool/out", "is in the workspace"),
    "below a file": (_below_a_file, "x/out", "x is a file;"),
    "a long name": (lambda place: None, "x" * 300, "cannot be written"),
    "a full folder": (_full_folder, "x", "is a folder|hilt did not write its content"),
}


@pytest.mark.parametrize("force", [True, False])
@pytest.mark.parametrize("make", [write, fill])
@pytest.mark.parametrize("case", BAD_PLACES)
def test_a_place_where_nothing_may_go_is_refused_before_the_work(
    tmp_path: Path, case: str, make: WriteFile, force: bool
) -> None:
    prepare, name, message = BAD_PLACES[case]
    prepare(tmp_path / "x")
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(OutputError, match=message):
        make(tmp_path / name, force=force)

    assert sorted(tmp_path.rglob("*")) == before


def test_a_device_stays_a_device() -> None:
    with pytest.raises(OutputError, match="is a device"):
        write(Path("/dev/null"), force=True)

    assert Path("/dev/null").is_char_device()


def test_a_workspace_has_one_page_of_its_own(tmp_path: Path) -> None:
    own = make_workspace(tmp_path / "w") / "report.html"

    write(own, own=own)

    assert own.read_text() == "new"


# -- folders --------------------------------------------------------------------------------------


def test_a_folder_has_a_manifest_and_may_be_replaced(tmp_path: Path) -> None:
    fill(tmp_path / "out", "first")

    fill(tmp_path / "out", "second")

    manifest = json.loads((tmp_path / "out" / MANIFEST).read_text())
    assert (manifest["format"], manifest["kind"], [*manifest["files"]]) == (
        1,
        "release",
        ["part/data.txt"],
    )
    assert (tmp_path / "out" / "part" / "data.txt").read_text() == "second"
    assert names(tmp_path) == ["out"]


def test_an_empty_folder_may_be_there(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()

    fill(tmp_path / "out")

    assert names(tmp_path / "out") == [MANIFEST, "part"]


def _add(folder: Path) -> None:
    (folder / "notes.txt").write_text("mine")


def _edit(folder: Path) -> None:
    (folder / "part" / "data.txt").write_text("mine")


def _remove(folder: Path) -> None:
    (folder / "part" / "data.txt").unlink()


def _pipe_inside(folder: Path) -> None:
    os.mkfifo(folder / "pipe")


def _lock_of_somebody_elses(folder: Path) -> None:
    (folder / "part" / ".lock").write_text("mine")


def _empty_folder(folder: Path) -> None:
    (folder / "part" / "empty").mkdir()


def _link_inside(folder: Path) -> None:
    (folder / "part" / "more").symlink_to("data.txt")


@pytest.mark.parametrize(
    "change",
    [_add, _edit, _remove, _link_inside, _pipe_inside, _lock_of_somebody_elses, _empty_folder],
)
def test_a_folder_that_somebody_changed_is_moved_only_when_asked(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    fill(tmp_path / "out")
    change(tmp_path / "out")
    changed = names(tmp_path / "out"), names(tmp_path / "out" / "part")

    with pytest.raises(OutputError, match=r"was changed since hilt wrote it.*out\.bak-1"):
        fill(tmp_path / "out")
    fill(tmp_path / "out", force=True)

    assert (names(tmp_path / "out.bak-1"), names(tmp_path / "out.bak-1" / "part")) == changed
    assert (tmp_path / "out" / "part" / "data.txt").read_text() == "new"


def test_a_folder_of_another_kind_is_moved_only_when_asked(tmp_path: Path) -> None:
    fill(tmp_path / "out", "a release")

    def export() -> None:
        with output_folder(tmp_path / "out", "export"):
            pass

    with pytest.raises(OutputError, match=r"something else that hilt wrote \(release\)"):
        export()
    with output_folder(tmp_path / "out", "export", force=True):
        pass

    assert (tmp_path / "out.bak-1" / "part" / "data.txt").read_text() == "a release"


@pytest.mark.parametrize("force", [True, False])
@pytest.mark.parametrize("read", ["out", "out/part"])
def test_a_folder_that_is_read_stays(tmp_path: Path, read: str, force: bool) -> None:
    fill(tmp_path / "out")

    with pytest.raises(OutputError, match="which this command reads"):
        fill(tmp_path / "out", force=force, inputs=[tmp_path / read])

    assert (tmp_path / "out" / "part" / "data.txt").exists()


def test_a_release_without_a_manifest_is_moved_only_when_asked(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    for name in ("dataset.csv", "dataset.parquet", "labels.json", "README.md"):
        (tmp_path / "out" / name).write_text("old")

    with pytest.raises(OutputError, match="kept no list of its files"):
        fill(tmp_path / "out")
    fill(tmp_path / "out", force=True)

    assert (tmp_path / "out.bak-1" / "dataset.csv").read_text() == "old"


@pytest.mark.parametrize("force", [True, False])
def test_a_folder_that_holds_a_workspace_stays(tmp_path: Path, force: bool) -> None:
    fill(tmp_path / "out")
    make_workspace(tmp_path / "out" / "part" / "w")

    with pytest.raises(OutputError, match="holds the workspace"):
        fill(tmp_path / "out", force=force)

    assert (tmp_path / "out" / "part" / "w" / "hilt.yaml").exists()


def test_the_current_folder_is_no_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(OutputError, match="the current folder"):
        fill(Path())


def test_a_neighbour_with_a_temporary_name_stays(tmp_path: Path) -> None:
    for name in ("out.partial", "out.tmp", "out.csv.partial", "out.csv.tmp"):
        (tmp_path / name).write_text("mine")

    fill(tmp_path / "out")
    write(tmp_path / "out.csv")

    assert (tmp_path / "out.partial").read_text() == "mine"
    assert (tmp_path / "out.csv.partial").read_text() == "mine"


def test_what_a_kill_left_is_cleared_and_what_is_being_written_is_not(tmp_path: Path) -> None:
    (tmp_path / ".hilt-0123456789abcdef").mkdir()
    (tmp_path / ".hilt-0123456789abcdef" / "half.csv").write_text("of a run that was killed")
    (tmp_path / ".hilt-fedcba9876543210").write_text("of another")
    (tmp_path / ".hilt-mine").write_text("a stranger's")
    (tmp_path / ".hilt-0000000000000000").symlink_to(tmp_path / ".hilt-mine")

    with output_file(tmp_path / "a.csv") as first, output_folder(tmp_path / "b", "test") as second:
        write(tmp_path / "c.csv")
        assert first.exists()
        assert second.exists()
        (second / "x").touch()

    assert names(tmp_path) == [".hilt-0000000000000000", ".hilt-mine", "a.csv", "b", "c.csv"]


def test_a_folder_that_is_worked_in_is_replaced_also_when_it_was_stopped(tmp_path: Path) -> None:
    for text in ("first", "second"):
        with folder_in_place(tmp_path / "demo", "demo"):
            (tmp_path / "demo" / "data.txt").write_text(text)
    with pytest.raises(KeyboardInterrupt), folder_in_place(tmp_path / "demo", "demo"):
        raise KeyboardInterrupt
    with folder_in_place(tmp_path / "demo", "demo"):
        pass

    assert names(tmp_path) == ["demo"]


def test_a_folder_whose_work_was_killed_is_moved_only_when_asked(tmp_path: Path) -> None:
    with folder_in_place(tmp_path / "demo", "demo"):
        killed = (tmp_path / "demo" / MANIFEST).read_text()
    (tmp_path / "demo" / MANIFEST).write_text(killed)

    def again(force: bool = False) -> None:
        with folder_in_place(tmp_path / "demo", "demo", force=force):
            pass

    with pytest.raises(OutputError, match="holds an unfinished demo"):
        again()
    again(force=True)

    assert names(tmp_path) == ["demo", "demo.bak-1"]


def test_a_file_whose_name_is_not_utf_8_is_remembered(tmp_path: Path) -> None:
    ledger, file = Ledger(tmp_path / "outputs.json"), tmp_path / os.fsdecode(b"\xff.csv")
    file.write_text("x")

    ledger.remember(file, file)

    assert ledger.knows(file)


def test_a_path_with_a_nul_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="contains a NUL"), output_file(tmp_path / "a\0.csv"):
        pass
