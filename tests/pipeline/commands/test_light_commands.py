"""Commands that need no model answer at once: they import none of the libraries that take long."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hilt.pipeline.reviewing.answer_files import export
from hilt.pipeline.workspace.workspace import Workspace

RUN = """
import json, sys
from hilt.pipeline.cli import app

if "review" in sys.argv:
    import uvicorn

    uvicorn.Server.run = lambda self, sockets: None  # all but the serving
code = app(sys.argv[1:], standalone_mode=False)
heavy = {"torch", "transformers", "sentence_transformers", "datasets", "sklearn", "scipy.stats"}
slow = {"pandas"}  # which pyarrow imports unasked
print(json.dumps([code, sorted((heavy | slow) & sys.modules.keys())]))
"""


@pytest.mark.parametrize(
    ("stage", "command"),
    [
        ("selected", "status WORK"),
        ("two_cycles", "status WORK"),
        ("selected", "export WORK batch.csv"),
        ("selected", "export WORK all.jsonl --decisions"),
        ("selected", "import WORK answers.csv"),
        ("reviewed", "agreement WORK --settle skill"),
        ("reviewed", "decisions WORK"),
        ("ready", "config WORK/hilt.yaml"),
        ("ready", "reviewer add WORK ann"),
        ("selected", "review WORK --port 0 --no-browser"),
        ("two_cycles", "report WORK"),
        ("two_cycles", "select WORK"),
        ("two_cycles", "duplicates WORK"),
    ],
)
def test_a_command_that_needs_no_model_imports_no_heavy_library(
    stage: str, command: str, small_workspace: Callable[[str], Workspace], tmp_path: Path
) -> None:
    workspace = small_workspace(stage)
    if command.startswith("import"):
        export(workspace, tmp_path / "answers.csv", simulated=True)
    words = command.replace("WORK", str(workspace.folder)).split()

    done = subprocess.run(
        [sys.executable, "-c", RUN, *words], cwd=tmp_path, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [None, []]
