"""The loop with an answer key, on sixty short texts."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.context import SpawnContext
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from hilt.errors import ConfigError, UnknownNameError, WorkspaceError
from hilt.pipeline.benchmarking import random_labels, running
from hilt.pipeline.benchmarking.arms import Run, branch, run_loop
from hilt.pipeline.benchmarking.benchmark import MARK, benchmark, check_folder
from hilt.pipeline.benchmarking.ceiling import run_full
from hilt.pipeline.benchmarking.plan import BenchmarkPlan, check_plan, check_runnable
from hilt.pipeline.benchmarking.random_labels import (
    RandomLabels,
    choose_strength,
    plain_counts,
    run_plain,
    run_setfit,
    setfit_epochs,
)
from hilt.pipeline.benchmarking.result import count_overlap
from hilt.pipeline.benchmarking.running import ArmJob, list_jobs
from hilt.pipeline.cli import app
from hilt.pipeline.commands.benchmark import _arms, _counts
from hilt.pipeline.configuration.reading import load_config
from hilt.pipeline.reviewing.answer_files import simulate
from hilt.pipeline.selecting.batches import select
from hilt.pipeline.students.base import Examples
from hilt.pipeline.workspace.init import init
from hilt.pipeline.workspace.workspace import Workspace, open_workspace
from hilt.tasks.categorical import one_hot
from hilt.types import Floats, Integers, Items
from tests.one_label import known_positions

Open = Callable[[str], Workspace]
ARMS = "hilt,setfit:1,random,plain"
PLAN = BenchmarkPlan(
    arms=("hilt", "setfit", "random", "plain"),
    at=(8, 14),
    seeds=2,
    processes=2,
    ceiling=("linear",),
    fewer_seeds={"setfit": 1},
)


@pytest.fixture(scope="session")
def config(stages: dict[str, Path]) -> Path:
    """The configuration of the small workspace, with its pool and test files."""
    return stages["ready"].parent / "config.yaml"


@pytest.fixture(scope="session")
def folder(config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A benchmark that has run from the command line."""
    folder = tmp_path_factory.mktemp("benchmark")
    arguments = f"--at 8,14 --seeds 2 --arms {ARMS} --ceiling linear --folder {folder / 'runs'}"
    result = CliRunner().invoke(
        app,
        ["benchmark", str(config), *arguments.split(), "--json", str(folder / "out.json")],
        env={"COLUMNS": "200"},
    )
    assert result.exit_code == 0, result.output
    (folder / "output.txt").write_text(result.output, encoding="utf-8")
    return folder


def test_every_arm_has_equally_long_lists_from_the_first_batch_on(folder: Path) -> None:
    result = json.loads((folder / "out.json").read_text("utf-8"))

    assert list(result["arms"]) == ["hilt", "setfit", "random", "plain", "proposer", "all"]
    for arm in result["arms"].values():
        assert len(arm["labels"]) == len(arm["accuracy"]) == len(arm["macro_f1"])
    assert result["arms"]["hilt"]["labels"] == result["arms"]["setfit"]["labels"] == [8, 14]
    assert result["arms"]["plain"]["labels"][:2] == [8, 14]
    assert result["arms"]["plain"]["labels"][-1] == 60
    assert (result["arms"]["setfit"]["seeds"], result["arms"]["hilt"]["seeds"]) == (1, 2)
    assert result["arms"]["setfit"]["accuracy_low"] is None


def test_labels_needed_and_ratios_say_whether_they_are_bounds(folder: Path) -> None:
    result = json.loads((folder / "out.json").read_text("utf-8"))

    assert set(result["labels_to"]) == set(result["ratios"]) == {"0.90", "0.95", "0.99"}
    for found in result["labels_to"]["0.95"].values():
        assert set(found) == {"labels", "bound"}
    pairs = ["hilt/setfit", "hilt/random", "hilt/plain"]
    assert list(result["ratios"]["0.95"]) == list(result["over_budgets"]) == pairs
    for found in [*result["ratios"]["0.95"].values(), *result["over_budgets"].values()]:
        assert set(found) == {"value", "bound", "low", "high", "n", "open"}
    assert result["over_budgets"]["hilt/setfit"]["n"] == 1


def test_the_ceiling_is_chosen_on_labels_of_the_pool_and_measured_on_the_test_set(
    folder: Path,
) -> None:
    result = json.loads((folder / "out.json").read_text("utf-8"))
    found = result["full"]["linear"]

    assert result["full_kind"] == "linear"
    assert result["full_accuracy"] == found["accuracy"] >= 0.8
    assert found["held_out_accuracy"] >= 0.5
    assert 0 < result["hours"] < 1


def test_tables_and_a_page_are_shown(folder: Path) -> None:
    output = (folder / "output.txt").read_text("utf-8")
    page = (folder / "runs" / "benchmark.html").read_text("utf-8")

    assert "Labels needed" in output
    assert "over all budgets" in output
    assert "hilt against plain" in output
    assert "hours of one processor core" in output
    assert "also occur in the pool" in output
    assert page.count("<polyline") == 4
    assert "jackknife-t" in page


def test_what_was_run_is_not_run_again_and_gives_the_same(
    config: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise AssertionError("a run was repeated")

    monkeypatch.setattr(running, "ProcessPoolExecutor", refuse)

    result = benchmark(config, folder / "runs", PLAN)

    assert result.arms == json.loads((folder / "out.json").read_text("utf-8"))["arms"]


def test_label_counts_can_be_added_to_a_run_that_has_ended(folder: Path, tmp_path: Path) -> None:
    base = folder / "runs" / "base"
    short = Run("random", 4, (6, 10), base, tmp_path / "w", "cpu", tmp_path / "state.db")
    grown = ArmJob(short, tmp_path / "grown.json")
    grown.work()
    before = grown.rows()

    grown = replace(grown, run=replace(short, at=(6, 10, 16)))
    assert not grown.is_done
    grown.work()

    whole = ArmJob(replace(grown.run, state=None, folder=tmp_path / "v"), tmp_path / "whole.json")
    whole.work()
    assert grown.is_done
    assert not short.folder.exists()
    assert list(before.values()) == list(grown.rows().values())[:2]
    assert _accuracies(grown) == _accuracies(whole)


def test_seeds_and_arms_that_were_added_are_all_that_is_missing(folder: Path) -> None:
    runs = folder / "runs"
    larger = replace(PLAN, arms=(*PLAN.arms, "margin"), fewer_seeds={}, seeds=3)

    jobs = list_jobs(open_workspace(runs / "base"), runs, larger)

    assert [job.path.stem for job in jobs if not job.is_done] == [
        "margin-0", "setfit-1", "margin-1", *(f"{arm}-2" for arm in larger.arms)
    ]  # fmt: skip


def test_a_damaged_result_of_a_run_is_made_anew(folder: Path, tmp_path: Path) -> None:
    run = Run("plain", 0, (6, 60), folder / "runs" / "base", tmp_path / "w", "cpu")
    job = ArmJob(run, tmp_path / "plain-0.json")
    job.path.write_text('{"rows": [{"lab', encoding="utf-8")
    assert not job.is_done

    job.work()

    assert job.is_done


WAITS = """
import os, sys, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from hilt.pipeline.benchmarking.running import begin_process
from tests.one_label import known_positions

if __name__ == "__main__":
    pool = ProcessPoolExecutor(1, get_context("forkserver"), begin_process, (1,))
    print(pool.submit(os.getpid).result(), flush=True)
    pool.submit(time.sleep, 120).result()
"""


def test_a_benchmark_that_is_killed_leaves_no_process_behind(tmp_path: Path) -> None:
    (tmp_path / "waits.py").write_text(WAITS, encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "waits.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()  # the run has begun
        process.kill()
        killed = time.monotonic()
        process.stdout.read()  # ends when all processes have that could write to it

    assert time.monotonic() - killed < 60


def test_what_runs_on_a_graphics_card_is_no_fork() -> None:
    assert isinstance(running._fresh_processes("cuda"), SpawnContext)


@pytest.mark.parametrize(
    ("variable", "processes", "threads"),
    [("", 2, 4), ("1", 2, 1), ("16", 2, 4), ("", 16, 1), ("0", 2, 4)],
)
def test_each_process_has_its_share_of_the_cores_or_what_the_environment_says(
    variable: str, processes: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.setenv("OMP_NUM_THREADS", variable)

    assert running.threads_of_each(processes) == threads


def test_a_run_that_was_stopped_goes_on(folder: Path, tmp_path: Path) -> None:
    base = folder / "runs" / "base"
    whole = Run("random", 3, (6, 12), base, tmp_path / "whole", "cpu")
    stopped = replace(whole, folder=tmp_path / "stopped")
    first = next(run_loop(stopped))
    workspace = open_workspace(tmp_path / "stopped")
    batch = select(workspace, 6)
    simulate(workspace, replace(batch, items=batch.items[:3]))  # the kill comes after three answers

    rows = list(run_loop(replace(stopped, done=(6,))))

    expected = list(run_loop(whole))
    assert [row["accuracy"] for row in (first, *rows)] == [row["accuracy"] for row in expected]


def test_setfit_and_plain_learn_the_same_growing_random_sample(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = folder / "runs" / "base"
    drawn = RandomLabels.draw(open_workspace(base), 0)

    six, twelve = drawn.known(6), drawn.known(12)

    assert set(six.items.ids) < set(twelve.items.ids)
    key = known_positions(open_workspace(base))
    learnt = twelve.targets.rows.values.argmax(axis=1)
    assert learnt.tolist() == key[np.sort(drawn.order[:12])].tolist()
    monkeypatch.setattr(random_labels, "SETFIT_STEPS", 1)
    for arm, run_arm in (("setfit", run_setfit), ("plain", run_plain)):
        rows = list(run_arm(Run(arm, 0, (6, 60), base, tmp_path, "cpu")))
        assert [row["labels"] for row in rows] == [6, 60]
        assert rows[-1]["accuracy"] >= 0.8


def test_setfit_skips_what_was_measured(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(random_labels, "setfit_epochs", lambda *_: 1)
    run = Run("setfit", 0, (6, 8), folder / "runs" / "base", tmp_path, "cpu", done=(6,))

    assert [row["labels"] for row in run_setfit(run)] == [8]


@pytest.mark.parametrize(("labels", "epochs"), [(8, 20), (32, 20), (50, 10), (300, 10)])
def test_setfit_sees_few_labels_more_often(labels: int, epochs: int) -> None:
    assert setfit_epochs(labels, 32) == epochs


def test_setfit_needs_an_encoder_that_can_be_tuned(config: Path) -> None:
    settings = load_config(config)
    embedder = settings.embedder.model_copy(update={"kind": "mine:Encoder"})

    with pytest.raises(ConfigError, match=r"name an encoder as `student\.contrastive\.model`"):
        check_runnable(settings.model_copy(update={"embedder": embedder}), PLAN)


def test_plain_goes_on_to_the_whole_pool() -> None:
    assert plain_counts((6, 12), 60) == (6, 12, 16, 21, 27, 35, 45, 57, 60)
    assert plain_counts((80,), 60) == (60,)


@pytest.mark.parametrize("n", [40, 1000])
def test_c_is_chosen_by_cross_validation(n: int) -> None:
    rng = np.random.default_rng(0)
    positions = np.arange(n) % 4
    signal = np.eye(4)[positions] + rng.normal(scale=0.05, size=(n, 4))
    noise = rng.normal(size=(n, 4))

    assert choose_strength(_examples(signal, positions), rng) == 300
    assert choose_strength(_examples(noise, positions), rng) == 1


def test_c_is_the_usual_one_where_no_label_has_two_items() -> None:
    rng = np.random.default_rng(0)

    assert choose_strength(_examples(rng.normal(size=(4, 4)), np.arange(4)), rng) == 10


def test_a_full_run_measures_once_what_chooses_and_once_what_is_reported(folder: Path) -> None:
    found = run_full(folder / "runs" / "base", "linear", "cpu")

    assert set(found) == {
        "held_out_accuracy", "accuracy", "macro_f1", "seconds", "core_seconds"
    }  # fmt: skip


def test_test_texts_that_stand_in_the_pool_are_counted(
    config: Path, folder: Path, tmp_path: Path
) -> None:
    base = open_workspace(folder / "runs" / "base")
    texts = base.pool.items(slice(0, 3)).texts
    rows = [texts[0], f" {texts[1]}\n", texts[2].upper(), "Something else."]
    values = yaml.safe_load(config.read_text("utf-8"))
    values["pool"]["path"] = str(config.parent / "pool.csv")
    values["test"]["path"] = "test.csv"
    label = next(iter(values["labels"]))
    lines = [f'{i},"{text}",{label}' for i, text in enumerate(rows)]
    (tmp_path / "test.csv").write_text("\n".join(["id,text,label", *lines]), encoding="utf-8")
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")

    workspace = init(tmp_path / "work", tmp_path / "config.yaml")

    assert count_overlap(workspace) == {"exact": 2, "normalised": 3}


def test_a_branch_shares_arrays_and_starts_without_decisions(
    small_workspace: Open, tmp_path: Path
) -> None:
    workspace = small_workspace("trained")

    other = branch(workspace, tmp_path / "branch", {"seed": 9})

    assert other.config.seed == 9
    assert other.database.decisions() == []
    assert np.array_equal(other.embeddings.open(), workspace.embeddings.open())
    assert other.embeddings.path.stat().st_nlink > 1


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"arms": ("hilt", "margn")}, UnknownNameError, "Did you mean: margin"),
        ({"arms": ("hilt", "hilt")}, ConfigError, "names an arm twice"),
        ({"at": (20, 10)}, ConfigError, "must increase from 1"),
        ({"seeds": 0}, ConfigError, "must be at least 1"),
        ({"fewer_seeds": {"setfit": 3}}, ConfigError, "write a number from 1 to 2"),
    ],
)
def test_a_plan_that_cannot_run_is_refused(
    change: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        check_plan(replace(PLAN, **change))  # type: ignore[arg-type]


def test_a_folder_is_not_shared_by_two_benchmarks(config: Path, folder: Path) -> None:
    with pytest.raises(WorkspaceError, match="only be added at the end"):
        benchmark(config, folder / "runs", replace(PLAN, at=(8, 13)))


def test_a_folder_takes_more_label_counts_at_the_end_and_not_fewer(
    config: Path, folder: Path, tmp_path: Path
) -> None:
    settings = load_config(config)
    shutil.copy(folder / "runs" / MARK, tmp_path / MARK)

    check_folder(tmp_path, settings, replace(PLAN, at=(8, 14, 20)))

    with pytest.raises(WorkspaceError, match="contains runs at 8,14,20 labels"):
        check_folder(tmp_path, settings, PLAN)


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


def test_an_arm_may_say_how_many_seeds_it_has() -> None:
    assert _arms("hilt, setfit:3,mine:Selector") == (
        ["hilt", "setfit", "mine:Selector"],
        {"setfit": 3},
    )


def _accuracies(job: ArmJob) -> list[float]:
    return [row["accuracy"] for row in job.rows().values()]


def _examples(vectors: Floats, positions: Integers) -> Examples:
    items = Items([str(i) for i in range(len(vectors))], [""] * len(vectors), vectors)
    return Examples(items, one_hot(positions, 4))
