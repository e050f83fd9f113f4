"""Tests of the comparison with peers that need no peer: the schedule, the task, the table."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from hilt.errors import DataError
from hilt.pipeline.configuration.reading import load_config

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
CONFIG = """
pool: {path: pool.csv, label: label}
test: {path: test.csv, label: label}
labels: [animals, food]
"""


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


compare_peers = load(SCRIPTS / "compare_peers.py")
environments = load(SCRIPTS / "peers" / "environments.py")
experiment = load(SCRIPTS / "peers" / "experiment.py")


@pytest.fixture
def config_path(tmp_path: Path) -> Path:
    (tmp_path / "pool.csv").write_text("text,label\nA cat.,animals\nA soup.,food\n")
    (tmp_path / "test.csv").write_text("text,label\nA dog.,animals\n")
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)
    return path


def run_of(labels: int, accuracy: float) -> list[dict[str, float]]:
    return [{"labels": labels, "accuracy": accuracy, "macro_f1": accuracy / 2, "seconds": 3.0}]


def experiment_of(folder: Path, positions: list[int]) -> Any:
    return experiment.Experiment(
        folder=folder,
        out=folder / "out.jsonl",
        strategy="margin",
        seed=0,
        budgets=[4],
        iterations=20,
        texts=["text"] * len(positions),
        positions=np.array(positions),
        test_texts=["text", "text"],
        test_positions=np.array([0, 1]),
        n_labels=2,
        encoder="encoder",
    )


def test_the_schedule_is_fine_then_coarse_and_meets_every_budget() -> None:
    assert experiment.schedule([100, 300]) == [25, 50, 75, 100, 150, 200, 250, 300]
    assert experiment.schedule([30, 110]) == [25, 30, 50, 75, 100, 110]
    assert experiment.schedule([10]) == [10]


def test_the_first_sample_grows_until_it_has_two_labels(tmp_path: Path) -> None:
    run = experiment_of(tmp_path, [0] * 99 + [1])

    sample = run.first_sample(5)

    assert 99 in sample
    assert len(sample) == len(set(sample))
    assert len(experiment_of(tmp_path, [0, 1] * 50).first_sample(25)) == 25


def test_a_record_is_a_line_of_results(tmp_path: Path) -> None:
    experiment_of(tmp_path, [0, 1]).record(4, np.array([0, 0]))

    (line,) = compare_peers.read_lines(tmp_path / "out.jsonl")
    assert line["labels"] == 4
    assert line["accuracy"] == 0.5
    assert line["macro_f1"] == pytest.approx(1 / 3)


def test_a_task_holds_the_texts_and_the_positions_of_their_labels(
    config_path: Path, tmp_path: Path
) -> None:
    folder = compare_peers.write_task(load_config(config_path), tmp_path / "work")

    task = json.loads((folder / "task.json").read_text())
    assert task["pool"] == {"texts": ["A cat.", "A soup."], "positions": [0, 1]}
    assert task["test"] == {"texts": ["A dog."], "positions": [0]}
    assert task["labels"] == ["animals", "food"]


def test_other_data_get_another_folder(config_path: Path, tmp_path: Path) -> None:
    before = compare_peers.write_task(load_config(config_path), tmp_path / "work")
    (tmp_path / "pool.csv").write_text("text,label\nA cow.,animals\nA soup.,food\n")

    after = compare_peers.write_task(load_config(config_path), tmp_path / "work")

    assert before != after


def test_a_label_that_is_not_configured_is_refused(config_path: Path, tmp_path: Path) -> None:
    (tmp_path / "pool.csv").write_text("text,label\nA cat.,pets\n")

    with pytest.raises(DataError, match="'pets' is not among the configured"):
        compare_peers.write_task(load_config(config_path), tmp_path / "work")


def test_a_finished_run_is_not_run_again(tmp_path: Path) -> None:
    run = compare_peers.Run("small-text", 0, (50,), 20, tmp_path)
    run.out.write_text(json.dumps(run_of(50, 0.5)[0]))

    compare_peers.run_peer(run, tmp_path / "no-such-python", 1)

    assert compare_peers.read_lines(run.out) == run_of(50, 0.5)


def test_a_program_that_fails_is_quoted(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such query strategy')"]

    with pytest.raises(environments.PeerFailedError, match="no such query strategy"):
        environments.call(command, tmp_path / "log", cwd=tmp_path, env={})


def test_merging_averages_over_seeds() -> None:
    curve = compare_peers.merge([run_of(50, 0.5), run_of(50, 0.7)])

    assert curve["labels"] == [50]
    assert curve["accuracy"] == [0.6]
    assert curve["macro_f1"] == [0.3]
    assert curve["seeds"] == 2
    assert curve["seconds"] == 3.0


def test_the_table_shows_a_dash_where_nothing_was_measured() -> None:
    curves = {"small-text": compare_peers.merge([run_of(50, 0.5)])}
    console = Console(record=True, width=100)

    console.print(compare_peers.as_table("trec", [50, 100], curves))

    row = next(line for line in console.export_text().splitlines() if "small-text" in line)
    assert row.replace("│", " ").split() == ["small-text", "50.0", "25.0", "-", "-"]
