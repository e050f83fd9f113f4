"""The README's commands and its Python, run exactly as they stand there."""

import contextlib
import io
import re
import runpy
import shlex
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from hilt.pipeline.cli import app

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data"
NEW = 'text\n"Shares fell after the bank cut its forecast."\n"The striker scored twice."\n'

pytestmark = pytest.mark.skipif(
    not (DATA / "agnews_train.csv").exists(), reason="needs ../shared/data/agnews_train.csv"
)


def _block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
    assert found is not None
    return found[1]


@pytest.fixture(autouse=True)
def _beside_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of the configurations, with the data where a checkout has them."""
    (tmp_path / "shared").symlink_to(DATA.parent)
    shutil.copytree(ROOT / "configs", tmp_path / "checkout" / "configs")
    (tmp_path / "checkout" / "new.csv").write_text(NEW, encoding="utf-8")
    monkeypatch.chdir(tmp_path / "checkout")


def test_the_shell_commands_lead_from_a_csv_to_a_release() -> None:
    commands = [
        shlex.split(line, comments=True)[1:]
        for line in _block("sh").splitlines()
        if line.startswith("hilt ")
    ]
    results = [CliRunner().invoke(app, arguments) for arguments in commands]

    assert [result.exit_code for result in results] == [0] * len(commands)
    assert len(commands) < 10
    assert commands[0][0] == "init"
    assert commands[-1][0] == "release"
    dataset = pq.read_table("out/dataset.parquet")
    assert len(dataset) == 5600
    assert set(dataset.column("source").to_pylist()) == {"person", "machine"}
    assert Path("work/report.html").exists()


def test_the_python_does_the_same() -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = Path("example.py")
        code.write_text(_block("python"), encoding="utf-8")
        runpy.run_path(str(code))

    assert 0 <= float(printed.getvalue()) <= 1
    assert len(Path("predictions.csv").read_text("utf-8").splitlines()) == 3
    assert len(_block("python").splitlines()) <= 15


def test_the_shortest_configuration_is_the_one_that_is_shown() -> None:
    shown = _block("yaml").strip()

    assert shown in (ROOT / "configs" / "minimal.yaml").read_text("utf-8")
