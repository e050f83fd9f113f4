"""What the layout promises; see the comments in pyproject.toml."""

import ast
import selectors
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import hilt

ROOT = Path(hilt.__file__).resolve().parent.parent
FOLDERS = ("pipeline", "proposers", "review", "selectors")
MIDDLE = ("proposers", "review", "selectors")

# What stands in pipeline/, from bottom to top: each imports what stands before it, and itself.
FLOORS = (
    "runners",
    "configuration",
    "pools",
    "workspace",
    "loop_state",
    "measuring",
    "duplicates",
    "students",
    "proposing",
    "training",
    "selecting",
    "reviewing",
    "releasing",
    "reporting",
    "cycle",
    "benchmarking",
    "commands",
    "cli",
)
MAX_LINES = 350
MAX_ROOT_ENTRIES = 18

pytestmark = pytest.mark.skipif(not (ROOT / "selectors").is_dir(), reason="needs a checkout")


def modules(folder: str) -> list[Path]:
    return sorted(path for path in (ROOT / folder).rglob("*.py") if "__pycache__" not in path.parts)


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_pythons_own_selectors_wins_even_at_the_root() -> None:
    assert hasattr(selectors, "DefaultSelector")
    assert run("import asyncio, selectors; print(selectors.DefaultSelector.__module__)")


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_is_linked_into_the_package(folder: str) -> None:
    link = ROOT / "hilt" / folder

    assert link.is_symlink()
    assert not link.readlink().is_absolute()
    assert link.resolve() == ROOT / folder


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_folder_has_an_init(folder: str) -> None:
    assert [path for path in modules(folder) if path.name == "__init__.py"] == []


def test_every_folder_with_modules_is_packaged() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    folders = {path.parent.relative_to(ROOT) for folder in FOLDERS for path in modules(folder)}

    own = {f"hilt.{path.parent.name}" for path in (ROOT / "hilt").glob("*/*.py")}
    own -= {f"hilt.{folder}" for folder in FOLDERS}
    wanted = {"hilt", *own, *(".".join(("hilt", *folder.parts)) for folder in folders)}

    assert set(project["tool"]["setuptools"]["packages"]) == wanted


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_module_is_named_like_one_of_pythons_own(folder: str) -> None:
    assert {path.stem for path in modules(folder)} & sys.stdlib_module_names == set()


@pytest.mark.parametrize("folder", MIDDLE)
def test_dependencies_point_one_way(folder: str) -> None:
    others = tuple(f"hilt.{other}." for other in FOLDERS if other != folder)

    wrong = {
        f"{path.name} imports {name}"
        for path in modules(folder)
        for name in imports(path)
        if f"{name}.".startswith(others)
    }

    assert wrong == set()


def test_the_folders_of_the_pipeline_import_downwards() -> None:
    paths = {path: path.relative_to(ROOT / "pipeline").parts[0] for path in modules("pipeline")}

    wrong = {
        f"{path.name} imports {name}"
        for path, own in paths.items()
        for name in imports(path)
        if name.startswith("hilt.pipeline.")
        if FLOORS.index(name.split(".")[2]) > FLOORS.index(own.removesuffix(".py"))
    }

    assert wrong == set()


def test_no_module_is_longer_than_one_reads() -> None:
    paths = [path for folder in (*FOLDERS, "hilt", "scripts") for path in modules(folder)]
    long = {
        path.relative_to(ROOT).as_posix()
        for path in paths
        if len(path.read_text(encoding="utf-8").splitlines()) > MAX_LINES
    }

    assert long == set()


def test_the_root_has_few_entries() -> None:
    listing = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listing.returncode:
        pytest.skip("needs git, which knows the files of the project")

    assert len({line.split("/")[0] for line in listing.stdout.splitlines()}) <= MAX_ROOT_ENTRIES


def test_what_all_share_depends_on_none_of_the_folders() -> None:
    folders = tuple(f"hilt.{folder}." for folder in FOLDERS)
    shared = [ROOT / "hilt" / f"{name}.py" for name in ("errors", "progress", "registry", "types")]
    shared += (ROOT / "hilt" / "reading").glob("*.py")

    wrong = {name for path in shared for name in imports(path) if f"{name}.".startswith(folders)}

    assert wrong == set()


def test_reading_a_configuration_loads_no_heavy_library() -> None:
    heavy = {"torch", "faiss", "datasets", "transformers", "sentence_transformers", "sklearn"}

    loaded = run("import sys, hilt.pipeline.configuration.reading; print(*sys.modules)").split()

    assert heavy & set(loaded) == set()
