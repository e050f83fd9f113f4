"""The benchmark of selectors on a small pool: its files, its rows, its refusals."""

import importlib.util
import shutil
import sys
import time
from mmap import MAP_PRIVATE, mmap
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from hilt.errors import DataError

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


benchmark_selectors = load("benchmark_selectors")
compare_selectors = load("compare_selectors")
selector_pool = sys.modules["scripts.selector_pool"]

POOL = selector_pool.Pool(items=600, dim=16, labelled=30, labels=4)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("work")
    selector_pool.make_pool(POOL, folder, neighbours=5)
    return folder


def test_a_row_says_what_was_asked_for(work: Path) -> None:
    row = benchmark_selectors.measure("k_center", POOL, work, neighbours=5, batch=20)

    assert list(row)[:8] == [
        "selector",
        "items",
        "wall_seconds",
        "cpu_seconds",
        "peak_memory_mb",
        "graph_seconds",
        "coverage_radius",
        "clusters_hit",
    ]
    assert row["selector"] == "k_center"
    assert row["items"] == 600
    assert row["picked"] == 20
    assert row["refused"] is None
    assert 0 < row["coverage_radius"] <= 2
    assert 1 <= row["clusters_hit"] <= 20


def test_a_refusal_is_a_row_too(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def select(self, *_: object) -> None:
            raise DataError("There is no committee.")

    monkeypatch.setattr(benchmark_selectors, "make_selector", lambda section: Refusing())
    row = benchmark_selectors.measure("vote_entropy", POOL, work, neighbours=0, batch=20)

    assert row["refused"] == "There is no committee."
    assert row["coverage_radius"] is None
    assert row["graph_seconds"] is None


def test_memory_that_is_taken_between_start_and_end_is_seen() -> None:
    with benchmark_selectors.peak_memory() as memory:
        # Not by numpy, which may get what was freed before.
        taken = mmap(-1, 100_000_000, flags=MAP_PRIVATE)
        np.frombuffer(taken, dtype=np.uint8)[:] = 1
        time.sleep(0.1)

    assert memory["grown"] >= 90


def test_files_are_made_once_and_opened_as_maps(work: Path) -> None:
    made = (POOL.folder(work) / "embeddings.npy").stat().st_mtime_ns

    selector_pool.make_pool(POOL, work, neighbours=5)
    view = selector_pool.open_pool(POOL, work, neighbours=5)

    assert (POOL.folder(work) / "embeddings.npy").stat().st_mtime_ns == made
    assert isinstance(view.embeddings, np.memmap)
    assert view.embeddings.dtype == view.proposal.values.dtype == np.float16
    assert view.graph is not None
    assert view.graph.neighbours.shape == (600, 5)
    assert len(view.candidates) == 570
    assert view.committee is not None
    assert [each.values.shape for each in view.committee(np.array([3, 7]))] == [(2, 4)] * 3


def test_a_disk_that_is_too_small_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    little = SimpleNamespace(free=2**30 + 10**6)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: little)
    pool = selector_pool.Pool(items=10_000_000, dim=384, labelled=100, labels=20)

    with pytest.raises(DataError, match=r"The pool needs 9\.3 GB .* 0\.0 GB are free"):
        selector_pool.make_pool(pool, tmp_path, neighbours=0)


def test_the_coverage_radius_is_the_largest_distance_to_the_nearest(work: Path) -> None:
    view = selector_pool.open_pool(POOL, work, neighbours=0)
    picked = np.array([5, 6])
    rows = view.embeddings.astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    known = rows[np.append(view.labelled, picked)]
    expected = np.linalg.norm(rows[:, None] - known[None], axis=2).min(axis=1).max()

    assert selector_pool.coverage_radius(view, picked) == pytest.approx(expected, abs=1e-3)


def test_ratios_are_taken_round_by_round() -> None:
    run = (compare_selectors.PEER_SCIKIT_ACTIVEML, "CoreSet")
    peer = [{"wall_seconds": s, "cpu_seconds": 1.0, "version": "1.0.1"} for s in (10, 40, 12)]
    ours = [{"wall_seconds": s, "cpu_seconds": 1.0, "version": "0.1.0"} for s in (1, 2, 1)]

    summary = compare_selectors.summary(run, peer, ours)

    assert summary["library"] == "scikit-activeml 1.0.1"
    assert summary["wall_seconds"] == 12
    assert summary["times_as_long_as_hilt"] == 12
    assert summary["lowest_and_highest"] == [10, 20]
