"""The README's commands and its Python, as printed, in a clone with nothing beside it.

They run with the real `hilt`, in the order of the README, without network and in an empty home.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from typer.main import get_command

from hilt.pipeline.cli import app

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
NO_NETWORK = """
import socket

def refuse(*arguments, **settings):
    raise OSError("This machine has no network.")

socket.getaddrinfo = socket.socket.connect = socket.socket.connect_ex = refuse
"""

pytestmark = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs a checkout")


def blocks(language: str) -> list[str]:
    """The blocks of one language, without their indent."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", README, re.S | re.M)
    return [re.sub(rf"^{indent}", "", block, flags=re.M) for indent, block in found]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder, for the clone and the home of whoever cloned it."""
    return tmp_path_factory.mktemp("reader")


@pytest.fixture(scope="module")
def clone(folder: Path) -> Path:
    """What git would clone of this checkout, with changes that are not committed yet."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        copy = folder / "hilt" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy, follow_symlinks=False)
    return folder / "hilt"


def run(clone: Path, *command: str) -> str:
    """Run a program in the clone as someone would who has only this and an installed hilt."""
    home = clone.parent / "home"
    home.mkdir(exist_ok=True)
    (home / "sitecustomize.py").write_text(NO_NETWORK, encoding="utf-8")
    environment = {
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.defpath)),
        "PYTHONPATH": os.pathsep.join((str(clone), str(home))),
        "HOME": str(home),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", ""),
    }
    done = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def said(clone: Path) -> list[str]:
    """What every block of commands printed; what they made is in the clone."""
    return [run(clone, "sh", "-e", "-c", block) for block in blocks("sh")]


def test_the_clone_is_used_and_nothing_is_beside_it(clone: Path) -> None:
    assert Path(run(clone, "python", "-c", "import hilt; print(hilt.__file__)").strip()) == (
        clone / "hilt" / "__init__.py"
    )
    assert {path.name for path in clone.parent.iterdir()} == {"hilt", "home"}


def test_the_commands_lead_from_a_csv_to_a_release_and_to_predictions(
    said: list[str], clone: Path
) -> None:
    commands = [line.split()[1] for line in blocks("sh")[0].splitlines()]
    dataset = pq.read_table(clone / "out" / "dataset.parquet")
    predicted = pyarrow.csv.read_csv(clone / "predictions.csv")
    tickets = pyarrow.csv.read_csv(
        clone / "configs" / "tickets.csv",
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
    )

    assert (commands[0], commands[-2:]) == ("init", ["release", "predict"])
    assert len(commands) <= 10
    assert "Next: hilt propose work" in said[0]
    assert dataset.column("id").to_pylist() == tickets.column("id").to_pylist()
    assert set(dataset.column("source").to_pylist()) >= {"person", "machine"}
    assert set(predicted.column("label").to_pylist()) <= set(tickets.column("label").to_pylist())
    assert (clone / "work" / "report.html").exists()


def test_the_released_student_answers_from_python(said: list[str], clone: Path) -> None:
    block = blocks("python")[0]
    shown = "\nimport json\nprint(json.dumps([labels, probabilities.tolist(), student.labels]))"

    printed = run(clone, "python", "-c", block + shown).splitlines()[-1]

    labels, probabilities, names = json.loads(printed)
    assert len(labels) == len(probabilities) == 2
    assert labels == [names[row.index(max(row))] for row in probabilities]
    assert set(names) == {
        "billing",
        "delivery",
        "returns",
        "account",
        "technical",
        "product-question",
    }


def test_the_python_does_what_the_commands_do(clone: Path) -> None:
    block = blocks("python")[1]

    printed = run(clone, "python", "-c", block)

    assert "on items like the pool, and on what is left of the pool: too early to say" in printed
    assert "Accuracy on labelled items" in printed
    assert (clone / "tickets-release" / "dataset.parquet").exists()
    assert len(blocks("python")) == 2
    assert max(len(block.splitlines()) for block in blocks("python")) <= 15


def test_the_shortest_configuration_is_the_one_that_is_shown() -> None:
    (shown,) = blocks("yaml")

    assert shown.strip() in (ROOT / "configs" / "minimal.yaml").read_text("utf-8")


def test_every_command_that_is_named_exists() -> None:
    named = set(re.findall(r"`hilt ([a-z]+)", README))

    assert named >= {"init", "review", "release"}
    assert named <= set(get_command(app).commands)  # type: ignore[attr-defined]


def test_what_the_readme_points_to_is_there() -> None:
    links = re.findall(r"\]\(([^):#]+)\)", README)
    paths = re.findall(r"`(configs/[^`]*)`", README)

    assert len(links) > 5
    assert [name for name in (*links, *paths) if not (ROOT / name).exists()] == []
