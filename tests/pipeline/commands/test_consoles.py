"""Every command on consoles that cannot show everything, in pipes, and where nothing fits."""

import errno
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hilt.pipeline.cli import main
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.reviewing.answer_files import simulate
from hilt.pipeline.selecting.batches import select
from hilt.pipeline.training.train import train
from hilt.pipeline.workspace.workspace import Workspace

Call = Callable[..., tuple[int, str, str]]

LABELS = ("für", "猫", "sport")
ESCAPES = "\x1b[2J\x1b]0;owned\x07"
SHOWN = r"\x1b[2J\x1b]0;owned\x07"
EXTRA = [
    ("odd-1", f"{ESCAPES} A snowman \u2603 [bold]was[/bold] :fire: seen.", "für"),
    ("odd-2", f"{ESCAPES} A snowman \u2603 [bold]was[/bold] :fire: seen", "für"),
]
COMMANDS = (
    "status",
    "select",
    "select --explain",
    "duplicates",
    "agreement",
    "oracle --dry-run --least 0.3",
    "propose",
    "train",
    "decisions",
    "reviewer list",
)
CONSOLES = [("ascii", False), ("ascii", True), ("cp1252", False), ("utf-8", True)]
WITHOUT_WORKSPACE = ("--help", "select --help", "reviewer --help", "--version", "config --explain")


@pytest.fixture(scope="module")
def work(
    tmp_path_factory: pytest.TempPathFactory, make_workspace_in: Callable[..., Workspace]
) -> Path:
    """A trained workspace with an open batch, its labels and texts hard on a console."""
    folder = tmp_path_factory.mktemp("b\u00fcro")
    workspace = make_workspace_in(folder, labels=LABELS, extra=EXTRA, test=False)
    propose(workspace)
    simulate(workspace, select(workspace, 12))
    train(workspace)
    propose(workspace)
    select(workspace, 50)
    workspace.database.close()
    return workspace.folder


def words(command: str, work: Path) -> list[str]:
    name, *others = command.split()
    if name == "reviewer":
        name, *others = [*command.split(), ""][:2]
        return ["reviewer", *others, str(work)]
    return [name, str(work), *others]


@pytest.mark.parametrize(("encoding", "terminal"), CONSOLES)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_speaks_on_any_console(
    call: Call, work: Path, command: str, encoding: str, terminal: bool
) -> None:
    code, out, err = call(*words(command, work), encoding=encoding, terminal=terminal)

    assert (code, "Traceback" in err) == (0, False)
    assert ESCAPES not in out + err
    if not terminal:
        assert "\x1b" not in out + err


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
@pytest.mark.parametrize("command", [c for c in COMMANDS if c != "select --explain"])
def test_json_is_one_object_with_a_format_on_any_console(
    call: Call, work: Path, command: str, encoding: str
) -> None:
    code, out, _ = call(*words(command, work), "--json", encoding=encoding)

    assert code == 0
    assert json.loads(out)["format"] == 1


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_json_means_the_same_where_characters_are_escaped(
    call: Call, work: Path, encoding: str
) -> None:
    words = ("select", work, "--json")

    assert json.loads(call(*words, encoding=encoding)[1]) == json.loads(call(*words)[1])


@pytest.mark.parametrize(("encoding", "terminal"), CONSOLES)
@pytest.mark.parametrize("command", WITHOUT_WORKSPACE)
def test_help_is_shown_on_any_console(
    call: Call, command: str, encoding: str, terminal: bool
) -> None:
    code, out, err = call(*command.split(), encoding=encoding, terminal=terminal)

    assert (code, err) == (0, "")
    assert out.strip()


@pytest.mark.parametrize(("encoding", "terminal"), CONSOLES)
def test_an_error_is_shown_on_any_console(call: Call, encoding: str, terminal: bool) -> None:
    code, out, err = call("status", f"猫{ESCAPES}", encoding=encoding, terminal=terminal)

    assert (code, out) == (2, "")
    assert "is not a hilt workspace" in err
    assert ESCAPES not in err


def test_a_text_is_printed_as_it_is_but_for_escape_sequences(call: Call, work: Path) -> None:
    out = call("duplicates", work)[1]

    assert f"{SHOWN} A snowman \u2603 [bold]was[/bold] :fire: seen" in out


def test_a_table_in_a_pipe_has_no_frame_and_is_not_cut(call: Call, work: Path) -> None:
    out = call("select", work)[1]

    assert re.search(r"^text +reason +score +proposal$", out, re.MULTILINE)
    assert not re.search("[\u2500-\u257f|]", out)
    assert not re.search("\u2026$", out, re.MULTILINE)  # a long text is, within its column


def test_a_table_on_a_plain_terminal_has_a_frame_that_it_can_show(call: Call, work: Path) -> None:
    assert "| text" in call("select", work, encoding="ascii", terminal=True)[1]
    assert "\u2502" in call("select", work, terminal=True)[1]


def test_help_in_a_pipe_lists_every_command_under_its_heading(call: Call) -> None:
    out = call("--help")[1]

    assert out.index("Start:") < out.index("  demo") < out.index("The loop:")
    assert "five topics,\n          five cycles." in out


class Broken(io.TextIOWrapper):
    """A stream that takes nothing."""

    def __init__(self, number: int) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8")
        self.number = number

    def write(self, text: str) -> int:
        raise OSError(self.number, "No space left on device")


@pytest.mark.parametrize("arguments", [["status"], ["status", "--json"], ["--help"], ["--version"]])
@pytest.mark.parametrize(("number", "code"), [(errno.ENOSPC, 2), (errno.EPIPE, 1)])
def test_output_that_cannot_be_written_ends_in_a_sentence_and_a_closed_pipe_in_silence(
    work: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], number: int, code: int
) -> None:
    named = [str(work)] if arguments[0] == "status" else []
    err = io.StringIO()
    monkeypatch.setattr(sys, "argv", ["hilt", *arguments, *named])
    monkeypatch.setattr(sys, "stdout", Broken(number))
    monkeypatch.setattr(sys, "stderr", err)

    with pytest.raises(SystemExit) as leaving:
        main()

    sentence = "Error: standard output cannot be written: No space left on device.\n"
    assert leaving.value.code == code
    assert err.getvalue() == (sentence if code == 2 else "")


def test_progress_that_cannot_be_written_stops_nothing(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "argv", ["hilt", "rules", "--help"])
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", Broken(errno.EPIPE))

    with pytest.raises(SystemExit) as leaving:
        main()

    assert leaving.value.code in (0, None)
    assert "rules" in out.getvalue()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_device_leaves_no_traceback_when_python_ends() -> None:
    command = [sys.executable, "-m", "hilt.pipeline.cli", "config", "--explain", "--json"]
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device, not a file
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)

    assert done.returncode == 2
    assert done.stderr == "Error: standard output cannot be written: No space left on device.\n"
