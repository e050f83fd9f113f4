"""The command line as a user meets it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hilt.errors import HiltError
from hilt.pipeline.cli import COMMANDS, app
from hilt.pipeline.workspace.workspace import Workspace

Open = Callable[[str], Workspace]
NAMES = [name for commands in COMMANDS.values() for name in commands]


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.stdout, result.stderr


def test_the_commands_are_those_of_the_design() -> None:
    design = (
        "init propose duplicates rules select oracle review agreement decisions export import train"
        " cycle status report"
        " release predict onnx config demo benchmark"
    )

    assert sorted(NAMES) == sorted(design.split())


@pytest.mark.parametrize("name", NAMES)
def test_every_command_explains_itself_and_has_json_and_debug(name: str) -> None:
    code, out, _ = run(name, "--help")

    assert code == 0
    assert "--json" in out
    assert "--debug" in out


def test_help_loads_no_model_library() -> None:
    code = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from hilt.pipeline.cli import app\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0\n"
        "heavy = {'torch', 'faiss', 'transformers', 'datasets', 'sklearn', 'numpy', 'pydantic'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert result.stdout.strip() == "[]"


def test_a_mistake_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    code, out, err = run("status", tmp_path)

    assert code == 2
    assert out == ""
    assert "is not a hilt workspace" in err
    assert "Traceback" not in err


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["status", str(tmp_path), "--debug"])

    assert isinstance(result.exception, HiltError)


def test_a_wrong_configuration_names_line_and_nearest_key(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("pool:\n  path: x.csv\nlabels: [a, b]\nselektor:\n  kind: margin\n")

    code, _, err = run("config", path)

    assert code == 2
    assert "line 4" in err
    assert "Did you mean: selector?" in err


def test_a_wrong_device_is_refused(small_workspace: Open) -> None:
    code, _, err = run("propose", small_workspace("ready").folder, "--device", "gpu")

    assert code == 2
    assert "Allowed: auto, cpu, cuda, mps" in err


def test_every_step_speaks_json(small_workspace: Open, tmp_path: Path) -> None:
    work = small_workspace("proposed").folder
    batch = tmp_path / "batch.jsonl"
    steps: list[tuple[object, ...]] = [
        ("propose", work),
        ("select", work),
        ("oracle", work, "--dry-run"),
        ("export", work, batch, "--simulated"),
        ("import", work, batch),
        ("train", work),
        ("cycle", work),
        ("status", work),
        ("report", work),
        ("release", work, tmp_path / "out"),
        ("predict", work, work.parent / "small-proposed" / "new.csv", "-o", tmp_path / "p.csv"),
        ("config", work / "hilt.yaml"),
        ("config", "--explain"),
    ]
    (work / "new.csv").write_text("text\nThe horse ran.\n")

    results = [run(*step, "--json") for step in steps]

    assert [code for code, _, _ in results] == [0] * len(steps)
    values = [json.loads(out) for _, out, _ in results]
    assert [value["format"] for value in values] == [1] * len(steps)
    assert values[1]["batch"] == 1
    assert values[2]["stored"] is False
    assert values[4]["added"] == 12
    assert values[5]["summary"]["human_labels"] == 12
    assert values[6]["batch"] == 2
    assert values[7]["open_items"] == 12
    assert values[9]["human"] == 12
    assert values[10]["items"] == 1


def test_blind_items_stay_blind_on_the_terminal(small_workspace: Open) -> None:
    _, out, _ = run("select", small_workspace("proposed").folder, "--json")

    blind = [item for item in json.loads(out)["items"] if item["blind"]]
    assert blind
    assert all(item["proposal"] is None and item["reason"] is None for item in blind)


def test_completion_is_there() -> None:
    code, out, _ = run("--help")

    assert code == 0
    assert "--install-completion" in out
