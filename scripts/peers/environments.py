"""Virtual environments for peers, each made once, and programs run in them."""

from __future__ import annotations

import json
import os
import subprocess
import venv
from dataclasses import dataclass
from pathlib import Path

from hilt.errors import HiltError


class PeerFailedError(HiltError, RuntimeError):
    """A peer's installation or program that ended with an error."""


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment: what pip installs, one call after the other."""

    name: str
    steps: tuple[tuple[str, ...], ...]


SCIKIT_ACTIVEML = Environment("scikit-activeml", (("scikit-activeml==1.0.1",),))


def make_environment(environment: Environment, folder: Path) -> Path:
    """Make a virtual environment with the pinned packages, unless it is there.

    Returns:
        Its Python.
    """
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    finished = folder / "installed.json"
    wanted = json.dumps(environment.steps)
    if finished.exists() and finished.read_text(encoding="utf-8") == wanted:
        return python
    print(f"making the environment of {environment.name} in {folder}", flush=True)
    venv.create(folder, with_pip=True, clear=True)
    for packages in environment.steps:
        command = [str(python), "-m", "pip", "install", "--quiet", *packages]
        call(command, folder / "pip.log", cwd=folder, env=dict(os.environ))
    finished.write_text(wanted, encoding="utf-8")
    return python


def call(command: list[str], log: Path, *, cwd: Path, env: dict[str, str]) -> None:
    """Run a command with its output in a file.

    Raises:
        PeerFailedError: If it ends with an error.
    """
    with log.open("wb") as stream:
        done = subprocess.run(command, stdout=stream, stderr=stream, cwd=cwd, env=env, check=False)
    if done.returncode:
        end = log.read_text(encoding="utf-8", errors="replace").strip()[-2000:]
        raise PeerFailedError(f"{' '.join(command)} ended with {done.returncode}; {log}:\n{end}")
