"""Each command that writes for its user, onto what it must not replace."""

import csv
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

import hilt
from hilt.pipeline.cli import app
from hilt.pipeline.workspace.workspace import Workspace

# Every command with the place of its output left open; each refuses before a model is opened.
Open = Callable[[str], Workspace]

FILE_COMMANDS = {
    "export": ("export", "w", "{}", "--format", "csv"),
    "simulated": ("export", "w", "{}", "--format", "csv", "--simulated"),
    "report": ("report", "w", "-o", "{}"),
    "predict": ("predict", "w", "new.csv", "-o", "{}"),
}
FOLDER_COMMANDS = {
    "release": ("release", "w", "{}"),
    "onnx": ("onnx", "w", "{}"),
    "demo": ("demo", "--folder", "{}"),
    "benchmark": ("benchmark", "c.yaml", "--folder", "{}"),
    "init": ("init", "{}", "--config", "c.yaml"),
}
FILE_PLACES = {
    "the workspace": "w",
    "its database": "w/state.db",
    "its configuration": "w/hilt.yaml",
    "an array": "w/fused.csv",
    "a folder": "home",
    "a folder in a file": "thesis.csv/out.csv",
    "a link": "link.csv",
    "a link to nowhere": "dangling.csv",
    "a pipe": "pipe.csv",
}
FOLDER_PLACES = {
    "the workspace": "w",
    "in the workspace": "w/pool",
    "new in the workspace": "w/out",
    "around the workspace": ".",
    "a home": "home",
    "a home of demos": "configs",
    "a file": "thesis.csv",
    "a link": "link",
    "a pipe": "pipe.csv",
}


@pytest.fixture(scope="module")
def here(stages: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a workspace that has a student and an open batch, and with a life's work."""
    folder = tmp_path_factory.mktemp("here")
    shutil.copytree(stages["trained"], folder / "w")
    hilt.cycle(hilt.open_workspace(folder / "w"), partial=True)
    for name in ("home", "configs", "elsewhere"):
        (folder / name).mkdir()
    (folder / "home" / "thesis.txt").write_text("years of work")
    (folder / "configs" / "demo.yaml").write_text("# my own")
    (folder / "thesis.csv").write_text("id,label\n1,2\n")
    (folder / "c.yaml").write_text("pool: {path: new.csv, label: label}\nlabels: [a, b]\n")
    (folder / "configs" / "benchmark.json").write_text("{}")
    (folder / "new.csv").write_text("text\nThe goat ate grass.\n")
    (folder / "link.csv").symlink_to("thesis.csv")
    (folder / "dangling.csv").symlink_to("nowhere.csv")
    (folder / "link").symlink_to("elsewhere")
    os.mkfifo(folder / "pipe.csv")
    return folder


@contextmanager
def nothing_changes(folder: Path) -> Iterator[None]:
    """Hold that no file of anybody's comes, goes or changes."""
    before = contents(folder)
    yield
    assert contents(folder) == before


def contents(folder: Path) -> dict[str, object]:
    found: dict[str, object] = {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else path.lstat().st_mode
        for path in folder.rglob("*")
        if not path.name.startswith((".lock", "state.db"))
    }
    if not (folder / "w").exists():
        return found
    with closing(sqlite3.connect(folder / "w" / "state.db")) as database:
        return {**found, "w/state.db": list(database.iterdump())}


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.stderr


@pytest.mark.parametrize("force", [True, False])
@pytest.mark.parametrize("place", FILE_PLACES)
@pytest.mark.parametrize("command", FILE_COMMANDS)
def test_a_file_is_never_written_where_none_may_go(
    here: Path, monkeypatch: pytest.MonkeyPatch, command: str, place: str, force: bool
) -> None:
    monkeypatch.chdir(here)
    arguments = [each.format(FILE_PLACES[place]) for each in FILE_COMMANDS[command]]

    with nothing_changes(here):
        code, message = run(*arguments, *(["--force"] if force else []))

    assert (code, message.count("\n")) == (2, 1)
    assert FILE_PLACES[place] in message


@pytest.mark.parametrize("force", [True, False])
@pytest.mark.parametrize("place", FOLDER_PLACES)
@pytest.mark.parametrize("command", FOLDER_COMMANDS)
def test_a_folder_is_never_written_where_none_may_go(
    here: Path, monkeypatch: pytest.MonkeyPatch, command: str, place: str, force: bool
) -> None:
    monkeypatch.chdir(here)
    arguments = [each.format(FOLDER_PLACES[place]) for each in FOLDER_COMMANDS[command]]

    with nothing_changes(here):
        code, message = run(*arguments, *(["--force"] if force and command != "init" else []))

    assert (code, message.count("\n")) == (2, 1)


def test_an_onnx_export_never_replaces_what_it_reads(small_workspace: Open, tmp_path: Path) -> None:
    hilt.release(small_workspace("trained"), tmp_path / "out")

    for read in ("out", "out/student"):
        for force in (True, False):
            with nothing_changes(tmp_path), pytest.raises(hilt.OutputError, match="reads"):
                hilt.onnx(tmp_path / read, tmp_path / "out", force=force)


@pytest.mark.parametrize("command", FILE_COMMANDS)
def test_a_file_of_somebody_elses_is_moved_only_when_asked(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(here)
    place = tmp_path / "thesis.csv"
    place.write_text("id,label\n1,2\n")
    arguments = [each.format(place) for each in FILE_COMMANDS[command]]

    code, message = run(*arguments)

    assert (code, place.read_text()) == (2, "id,label\n1,2\n")
    assert "thesis.csv" in message
    assert "--force" in message
    if command != "predict":  # which opens a model
        assert run(*arguments, "--force")[0] == 0
        assert (tmp_path / "thesis.csv.bak-1").read_text() == "id,label\n1,2\n"


def test_predictions_never_replace_what_was_read(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(here)

    with nothing_changes(here):
        code, message = run("predict", "w", "new.csv", "-o", "new.csv", "--force")

    assert (code, "This command reads" in message) == (2, True)


# -- sheets ---------------------------------------------------------------------------------------


def fill_in(sheet: Path, *cells: str) -> None:
    """Write label and comment into the last rows of a sheet, as a person would."""
    lines = sheet.read_text(encoding="utf-8-sig").splitlines()
    for place, cell in enumerate(cells, start=1):
        label, _, comment = cell.partition("|")
        fields = lines[place].split(",")
        fields[-5], fields[-2] = label, comment
        lines[place] = ",".join(fields)
    sheet.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_sheet_without_answers_is_written_again(
    small_workspace: Open, tmp_path: Path, ending: str
) -> None:
    workspace, sheet = small_workspace("selected"), tmp_path / f"b.{ending}"

    hilt.export(workspace, sheet)
    first = sheet.read_bytes()
    hilt.export(workspace, sheet)
    (workspace.folder / "outputs.json").unlink()  # as an older hilt left it
    hilt.export(workspace, sheet)

    assert sheet.read_bytes() == first


@pytest.mark.parametrize("cell", ["food", "typo", "|a remark"])
def test_a_sheet_with_something_that_is_not_stored_stays(
    small_workspace: Open, tmp_path: Path, cell: str
) -> None:
    workspace, sheet = small_workspace("selected"), tmp_path / "b.csv"
    hilt.export(workspace, sheet)
    fill_in(sheet, cell)
    filled = sheet.read_bytes()

    with pytest.raises(hilt.OutputError, match="that are not stored: 1\\."):
        hilt.export(workspace, sheet)

    assert sheet.read_bytes() == filled


def test_a_file_of_decisions_is_no_sheet(small_workspace: Open, tmp_path: Path) -> None:
    workspace, file = small_workspace("reviewed"), tmp_path / "all.jsonl"
    hilt.export_decisions(workspace, file)
    written = file.read_bytes()

    with pytest.raises(
        hilt.OutputError, match=r"contains the decisions of a workspace\. Name another"
    ):
        hilt.export(workspace, file, batch=1)

    assert file.read_bytes() == written


def test_simulated_answers_are_answers(small_workspace: Open, tmp_path: Path) -> None:
    workspace, sheet = small_workspace("selected"), tmp_path / "b.csv"
    hilt.export(workspace, sheet, simulated=True)

    with pytest.raises(hilt.OutputError, match="that are not stored: 12"):
        hilt.export(workspace, sheet)
    hilt.import_answers(workspace, sheet)
    hilt.export(workspace, sheet, batch=1)

    assert hilt.import_answers(workspace, sheet).unanswered == 12


def test_what_import_could_not_store_is_not_written_over(
    small_workspace: Open, tmp_path: Path
) -> None:
    workspace, sheet = small_workspace("selected"), tmp_path / "b.csv"
    hilt.export(workspace, sheet)
    fill_in(sheet, "food", "tpyo|half an hour of thought")
    hilt.import_answers(workspace, sheet, partial=True)

    with pytest.raises(hilt.OutputError, match="that are not stored: 1"):
        hilt.export(workspace, sheet)

    assert "half an hour" in sheet.read_text(encoding="utf-8")


def test_another_reviewers_answers_are_not_taken_for_stored(
    small_workspace: Open, tmp_path: Path
) -> None:
    workspace, sheet = small_workspace("selected"), tmp_path / "b.csv"
    hilt.export(workspace, sheet, simulated=True)
    hilt.import_answers(workspace, sheet)
    sheet.write_text(sheet.read_text(encoding="utf-8").replace("simulated", "ann"), "utf-8")

    with pytest.raises(hilt.OutputError, match="that are not stored: 12"):
        hilt.export(workspace, sheet, batch=1)


@pytest.mark.parametrize("labelled", [True, False])
def test_the_pool_itself_is_no_sheet(small_workspace: Open, tmp_path: Path, labelled: bool) -> None:
    workspace, pool = small_workspace("selected"), tmp_path / "pool.csv"
    item = hilt.select(workspace).items[0]
    pool.write_text(f"id,text,label\n{item.item_id},words,{'food' if labelled else ''}\n")
    hilt.record(workspace, [hilt.Decision(item.item_id, "label", ("food",), "ann")])

    with pytest.raises(hilt.OutputError, match="hilt did not write it"):
        hilt.export(workspace, pool)

    assert "words" in pool.read_text()


@pytest.mark.parametrize("content", ["", "id,label,notes\n", "\n\n", "mine"])
@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_file_without_lines_is_no_sheet(
    small_workspace: Open, tmp_path: Path, ending: str, content: str
) -> None:
    place = tmp_path / f"mine.{ending}"
    place.write_text(content)

    with pytest.raises(hilt.OutputError, match=r"hilt did not write it|not stored"):
        hilt.export(small_workspace("selected"), place)

    assert place.read_text() == content


@pytest.mark.parametrize("column", ["reason", "alternatives", "text"])
def test_a_note_in_a_column_that_was_only_shown_is_kept(
    small_workspace: Open, tmp_path: Path, column: str
) -> None:
    workspace, sheet = small_workspace("selected"), tmp_path / "b.csv"
    hilt.export(workspace, sheet)
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    rows[0][column] += " MY NOTE: ask Bob"
    with sheet.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)

    with pytest.raises(hilt.OutputError, match="was changed since"):
        hilt.export(workspace, sheet)


def test_a_spreadsheets_way_of_writing_numbers_is_no_change(
    small_workspace: Open, tmp_path: Path
) -> None:
    workspace, sheet = small_workspace("selected"), tmp_path / "b.csv"
    hilt.export(workspace, sheet)
    sheet.write_text(sheet.read_text("utf-8-sig").replace(",false,", ",FALSE,"), "utf-8")

    hilt.export(workspace, sheet)


# -- the commands that write again ----------------------------------------------------------------


def test_a_report_is_written_again_and_an_older_hilts_is_kept(
    small_workspace: Open, tmp_path: Path
) -> None:
    workspace = small_workspace("ready")
    own, mine = workspace.folder / "report.html", tmp_path / "report.html"
    own.write_text("an older hilt's")

    for _ in range(2):
        hilt.report(workspace)
        hilt.report(workspace, mine)
    mine.write_text("edited")

    with pytest.raises(hilt.OutputError, match="hilt did not write it"):
        hilt.report(workspace, mine)
    assert (workspace.folder / "report.html.bak-1").read_text() == "an older hilt's"
    assert not (workspace.folder / "report.html.bak-2").exists()


def test_a_release_replaces_one_that_nobody_changed(small_workspace: Open, tmp_path: Path) -> None:
    workspace, out = small_workspace("trained"), tmp_path / "out"
    hilt.release(workspace, out)
    hilt.release(workspace, out)
    (out / "README.md").write_text("my own card")

    with pytest.raises(hilt.OutputError, match=r"was changed since hilt wrote it \(README\.md\)"):
        hilt.release(workspace, out)
    hilt.release(workspace, out, force=True)

    assert (tmp_path / "out.bak-1" / "README.md").read_text() == "my own card"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "out.bak-1", "small-trained"]


def test_predictions_of_a_workspace_are_written_again_those_of_a_release_not(
    small_workspace: Open, tmp_path: Path
) -> None:
    workspace, out = small_workspace("trained"), tmp_path / "p.csv"
    (tmp_path / "new.csv").write_text("text\nThe goat ate grass on the hill.\n")
    hilt.release(workspace, tmp_path / "out")

    for _ in range(2):
        hilt.predict(workspace.folder, tmp_path / "new.csv", out)

    with pytest.raises(hilt.OutputError, match="--force"):
        hilt.predict(tmp_path / "out" / "student", tmp_path / "new.csv", out)
