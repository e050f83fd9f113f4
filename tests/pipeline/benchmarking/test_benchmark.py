"""The loop with an answer key, on sixty short texts."""

import json
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.context import SpawnContext
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from hilt.errors import ConfigError, UnknownNameError, WorkspaceError
from hilt.pipeline.benchmarking import benchmark as module
from hilt.pipeline.benchmarking.arms import Run, branch, run_loop, run_plain
from hilt.pipeline.benchmarking.benchmark import BenchmarkPlan, benchmark, check_plan
from hilt.pipeline.cli import app
from hilt.pipeline.commands.benchmark import _counts
from hilt.pipeline.workspace import Workspace

Open = Callable[[str], Workspace]
PLAN = BenchmarkPlan(arms=("hilt", "random", "plain"), at=(8, 14), seeds=2, processes=2)


@pytest.fixture(scope="session")
def config(stages: dict[str, Path]) -> Path:
    """The configuration of the small workspace, with its pool and test files."""
    return stages["ready"].parent / "config.yaml"


@pytest.fixture(scope="session")
def folder(config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A benchmark that has run from the command line."""
    folder = tmp_path_factory.mktemp("benchmark")
    arguments = f"--at 8,14 --seeds 2 --arms hilt,random,plain --folder {folder / 'runs'}"
    result = CliRunner().invoke(
        app,
        ["benchmark", str(config), *arguments.split(), "--json", str(folder / "out.json")],
        env={"COLUMNS": "200"},
    )
    assert result.exit_code == 0, result.output
    (folder / "output.txt").write_text(result.output, encoding="utf-8")
    return folder


def test_every_arm_has_equally_long_lists_from_no_labels_on(folder: Path) -> None:
    result = json.loads((folder / "out.json").read_text("utf-8"))

    assert set(result["arms"]) == {"hilt", "random", "plain", "proposer", "all"}
    for arm in result["arms"].values():
        assert len(arm["labels"]) == len(arm["accuracy"]) == len(arm["macro_f1"])
    assert result["arms"]["hilt"]["labels"] == [8, 14]
    assert result["arms"]["plain"]["labels"][:2] == [8, 14]
    assert result["arms"]["plain"]["labels"][-1] == 60
    assert set(result["labels_to"]) == set(result["ratios"]) == {"0.90", "0.95", "0.99"}
    assert set(result["labels_to"]["0.95"]) == set(result["arms"])
    assert set(result["ratios"]["0.95"]) == {"hilt/random", "hilt/plain"}
    assert 0.8 <= result["full_accuracy"] <= 1
    assert result["seconds"] > 0


def test_a_table_and_a_page_are_shown(folder: Path) -> None:
    output = (folder / "output.txt").read_text("utf-8")
    page = (folder / "runs" / "benchmark.html").read_text("utf-8")

    assert "Labels to" in output
    assert "hilt against plain" in output
    assert page.count("<polyline") == 3
    assert "paired bootstrap" in page


def test_what_was_run_is_not_run_again_and_gives_the_same(
    config: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise AssertionError("a run was repeated")

    monkeypatch.setattr(module, "ProcessPoolExecutor", refuse)

    result = benchmark(config, folder / "runs", PLAN)

    assert result.arms == json.loads((folder / "out.json").read_text("utf-8"))["arms"]


def test_what_runs_on_a_graphics_card_is_no_fork() -> None:
    assert isinstance(module._fresh_processes("cuda"), SpawnContext)


def test_a_run_that_was_stopped_goes_on(config: Path, folder: Path, tmp_path: Path) -> None:
    base = folder / "runs" / "base"
    whole = Run("random", 3, (6, 12), base, tmp_path / "whole", "cpu")
    begun = replace(whole, at=(6,), folder=tmp_path / "begun")
    first = run_loop(begun)

    rows = run_loop(replace(begun, at=(6, 12)))

    expected = run_loop(whole)
    assert [row["accuracy"] for row in rows] == [row["accuracy"] for row in expected]
    assert rows[0]["accuracy"] == first[0]["accuracy"]


def test_plain_labels_are_a_growing_random_sample(folder: Path, tmp_path: Path) -> None:
    run = Run("plain", 0, (6, 12), folder / "runs" / "base", tmp_path, "cpu")

    rows = run_plain(run)

    assert [row["labels"] for row in rows] == [6, 12, 18, 27, 40, 60]
    assert rows[-1]["accuracy"] >= 0.8


def test_a_branch_shares_arrays_and_starts_without_decisions(
    small_workspace: Open, tmp_path: Path
) -> None:
    workspace = small_workspace("trained")

    other = branch(workspace, tmp_path / "branch", {"seed": 9})

    assert other.config.seed == 9
    assert other.store.decisions() == []
    assert np.array_equal(other.embeddings.open(), workspace.embeddings.open())
    assert other.embeddings.path.stat().st_nlink > 1


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"arms": ("hilt", "margn")}, UnknownNameError, "Did you mean: margin"),
        ({"arms": ("hilt", "hilt")}, ConfigError, "names an arm twice"),
        ({"at": (20, 10)}, ConfigError, "must rise from 1"),
        ({"seeds": 0}, ConfigError, "must be at least 1"),
    ],
)
def test_a_plan_that_cannot_run_is_refused(
    change: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        check_plan(replace(PLAN, **change))  # type: ignore[arg-type]


def test_a_folder_is_not_shared_by_two_benchmarks(config: Path, folder: Path) -> None:
    with pytest.raises(WorkspaceError, match="other label counts"):
        benchmark(config, folder / "runs", replace(PLAN, at=(5,)))


def test_a_budget_beyond_the_pool_is_refused(config: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the pool has 60 items"):
        benchmark(config, tmp_path / "runs", replace(PLAN, at=(61,)))


def test_a_benchmark_needs_an_answer_key(config: Path, tmp_path: Path) -> None:
    values = yaml.safe_load(config.read_text("utf-8"))
    values["pool"] = {**values["pool"], "path": str(config.parent / "pool.csv")}
    del values["pool"]["label"], values["test"]
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")

    with pytest.raises(WorkspaceError, match="has no `test`"):
        benchmark(tmp_path / "config.yaml", tmp_path / "runs", PLAN)


@pytest.mark.parametrize(
    ("budget", "size", "expected"),
    [
        (300, 25, (25, 50, 75, 100, 150, 200, 275, 300)),
        (100, 25, (25, 50, 75, 100)),
        (30, 25, (25, 30)),
        (20, 25, (20,)),
        (25, 25, (25,)),
    ],
)
def test_label_counts_grow_further_apart(budget: int, size: int, expected: tuple[int, ...]) -> None:
    assert _counts("", budget, size) == expected
