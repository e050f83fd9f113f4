"""The loop with an answer key: hilt beside what a user would do otherwise, over many seeds."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

import numpy as np

from hilt.errors import ConfigError, WorkspaceError
from hilt.files import read_object, sentences, write_json
from hilt.outputs import check_folder_place, make_parents
from hilt.pipeline.arrays import fingerprint
from hilt.pipeline.benchmarking.arms import Run, check_runnable, run_loop, run_plain
from hilt.pipeline.benchmarking.curves import Curve, area, mean_labels_to, ratio, tally
from hilt.pipeline.benchmarking.full import full_kinds, run_full
from hilt.pipeline.calibration import pool_logarithmically
from hilt.pipeline.configuration.reading import load_config
from hilt.pipeline.configuration.sections import Config
from hilt.pipeline.cycle import labelled_test
from hilt.pipeline.embedding import load_embedder
from hilt.pipeline.measure import measure
from hilt.pipeline.proposals import Proposals
from hilt.pipeline.proposing import propose
from hilt.pipeline.random_streams import Stream, seedless_generator
from hilt.pipeline.students.base import STUDENTS
from hilt.pipeline.workspace import Workspace, init
from hilt.progress import Progress, Silent
from hilt.proposers.encoder import resolve_device
from hilt.selectors.base import SELECTORS

TARGETS = ("0.90", "0.95", "0.99")
MARK = "benchmark.json"
OWN_ARMS = ("hilt", "plain")
ALWAYS = ("proposer", "all")  # measured once, whatever arms there are


@dataclass(frozen=True, slots=True)
class BenchmarkPlan:
    """What a benchmark runs.

    Attributes:
        arms: `hilt`, `plain`, and names of selectors.
        at: Label counts at which every arm trains and is measured.
        seeds: How many; the first is the configuration's.
        processes: How many runs go on at one time.
        ceiling: Kinds of student to train on every label; all that the configuration may use when
            empty.
    """

    arms: tuple[str, ...]
    at: tuple[int, ...]
    seeds: int
    processes: int
    ceiling: tuple[str, ...] = ()

    def ceilings(self, base: Workspace) -> tuple[str, ...]:
        """List the kinds of student that are trained on every label."""
        return self.ceiling or full_kinds(base.config.student)


@dataclass(frozen=True, slots=True)
class BenchmarkResult:
    """What came out.

    Attributes:
        full_accuracy: Test accuracy of the best student trained on every label of the pool.
        full: The same of each kind that was tried.
        arms: By name: `labels`, `accuracy`, `macro_f1` (means over seeds), their intervals,
            `minutes`, and the accuracy by seed.
        labels_to: By share of `full_accuracy`, then by arm: labels needed, None if not reached.
        ratios: By share, then by `hilt/<arm>`: ratio of the labels needed, with an interval.
        area: By arm: mean accuracy from the first batch to the budget, over labels and minutes.
        against: By arm: seeds in which hilt's area is higher, equal, lower.
        seconds_per_label: What one answer took the simulated reviewer, on average.
        seconds: Processor time of all runs together, by the clock.
    """

    config: str
    items: int
    test_items: int
    labels: int
    seeds: int
    budget: int
    full_accuracy: float
    full: dict[str, dict[str, float]]
    arms: dict[str, dict[str, Any]]
    labels_to: dict[str, dict[str, float | None]]
    ratios: dict[str, dict[str, dict[str, Any]]]
    area: dict[str, dict[str, float]]
    against: dict[str, dict[str, int]]
    seconds_per_label: float
    seconds: float


def benchmark(
    config_path: Path | str,
    folder: Path | str,
    plan: BenchmarkPlan,
    *,
    device: str | None = None,
    progress: Progress | None = None,
) -> BenchmarkResult:
    """Run every arm with every seed, and compare.

    What was run in the same folder before is not run again; more seeds and arms can be added.

    Args:
        config_path: A configuration with `pool.label` and `test`.
        folder: Where runs are kept.
        plan: What to run.
        device: Where models run, instead of what the configuration says.
        progress: Who looks on.

    Raises:
        ConfigError: If the configuration, an arm or a label count cannot be used.
        WorkspaceError: If there is no answer key, or the folder holds something else.
    """
    progress = progress or Silent()
    folder = Path(folder)
    config = load_config(config_path)
    check_runnable(config)
    check_plan(plan)
    _check_folder(folder, config, plan)
    base = init(folder / "base", config_path, device=device, progress=progress)
    if plan.at[-1] > len(base.pool):
        raise ConfigError(
            f"The budget is {plan.at[-1]} labels, but the pool has {len(base.pool)} items; lower"
            " --budget."
        )
    propose(base)
    context = _fresh_processes(resolve_device(base.device))
    rows = _run_all(_jobs(base, folder, plan), plan.processes, context, progress)
    return compile_result(Path(config_path).stem, base, plan, rows)


def check_plan(plan: BenchmarkPlan) -> None:
    """Make sure that a plan can be run.

    Raises:
        ConfigError: If label counts or numbers are out of range.
        UnknownNameError: If an arm is neither `hilt`, `plain` nor a selector.
    """
    for arm in plan.arms:
        if arm not in OWN_ARMS:
            SELECTORS.load(arm)
    for kind in plan.ceiling:
        STUDENTS.load(kind)
    if len(set(plan.arms)) < len(plan.arms):
        raise ConfigError(f"--arms names an arm twice: {', '.join(plan.arms)}.")
    if not plan.at or list(plan.at) != sorted(set(plan.at)) or plan.at[0] < 1:
        raise ConfigError(f"Label counts must rise from 1 on, but are {list(plan.at)}.")
    if plan.seeds < 1 or plan.processes < 1:
        raise ConfigError(
            f"--seeds is {plan.seeds} and --processes {plan.processes}; both must be at least 1."
        )


Job = tuple[str, Callable[..., Any], tuple[Any, ...], Path]


def _jobs(base: Workspace, folder: Path, plan: BenchmarkPlan) -> Iterator[Job]:
    """List what is to be run, the longest first: a name, a function, its arguments, its file."""
    runs = folder / "runs"
    for kind in reversed(plan.ceilings(base)):
        arguments = (base.folder, kind, base.device)
        yield f"full-{kind}", run_full, arguments, runs / f"full-{kind}.json"
    first = base.config.seed
    for seed in range(first, first + plan.seeds):
        for arm in plan.arms:
            work = folder / "work" / f"{arm}-{seed}"
            run = Run(arm, seed, plan.at, base.folder, work, base.device)
            function = run_plain if arm == "plain" else run_loop
            yield run.name, function, (run,), runs / f"{run.name}.json"


def _run_all(
    jobs: Iterator[Job], processes: int, context: BaseContext, progress: Progress
) -> dict[str, Any]:
    """Run what was not run before in several processes, and read every result."""
    listed = list(jobs)
    missing = [job for job in listed if not job[3].exists()]
    threads = max(1, (os.cpu_count() or 1) // processes)
    with progress.task("Runs", len(listed), "runs") as advance:
        advance(len(listed) - len(missing))
        if missing:
            with ProcessPoolExecutor(
                min(processes, len(missing)),
                context,
                _limit_threads,
                (threads,),
                max_tasks_per_child=1,  # what a run leaves in memory goes with its process
            ) as pool:
                futures = [pool.submit(_run_one, *job[1:]) for job in missing]
                for future in futures:
                    future.add_done_callback(lambda _done: advance(1))
                _wait(futures)
    return {name: json.loads(path.read_text(encoding="utf-8")) for name, _, _, path in listed}


def _fresh_processes(device: str) -> BaseContext:
    """Say how processes begin: on Linux's processors as forks of one that has imported everything.

    A process for each run would otherwise import torch and the rest anew, which takes longer than
    some runs. Graphics cards, and the libraries of macOS, do not survive a fork.
    """
    if device != "cpu" or sys.platform != "linux":
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload(
        ["sentence_transformers", run_loop.__module__, run_full.__module__]
    )
    return context


def _wait(futures: Sequence[Future[None]]) -> None:
    """Wait for all; when one fails, let those that run end, start no other, and raise."""
    done, waiting = wait(futures, return_when=FIRST_EXCEPTION)
    for future in waiting:
        future.cancel()
    for future in done:
        future.result()


def _run_one(function: Callable[..., Any], arguments: tuple[Any, ...], path: Path) -> None:
    """Run one job, keep its result, and clear away what it worked in."""
    result = function(*arguments)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, result)
    if isinstance(arguments[0], Run):
        shutil.rmtree(arguments[0].folder, ignore_errors=True)


def _limit_threads(threads: int) -> None:
    """Give every process its share of the processor."""
    import faiss
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(threads)
    faiss.omp_set_num_threads(threads)
    threadpool_limits(threads)


def compile_result(
    name: str, base: Workspace, plan: BenchmarkPlan, rows: dict[str, Any]
) -> BenchmarkResult:
    """Turn the rows of every run into curves, and compare them."""
    start = _proposer(base)
    first = base.config.seed
    seeds = range(first, first + plan.seeds)
    curves = {
        arm: _curve(
            [rows[f"{arm}-{seed}"] for seed in seeds],
            None if arm == "plain" else start["accuracy"],
        )
        for arm in plan.arms
    }
    full = {kind: rows[f"full-{kind}"] for kind in plan.ceilings(base)}
    best = max(full.values(), key=lambda found: found["accuracy"])
    goals = {share: float(share) * best["accuracy"] for share in TARGETS}
    rng = seedless_generator(Stream.RATIO)
    others = [arm for arm in curves if arm != "hilt"] if "hilt" in curves else []
    areas = _areas(curves, plan.at[-1])
    known = int((base.pool.answer_key(base.config.label_names) >= 0).sum())
    points: dict[str, dict[str, Any]] = {
        "proposer": {"labels": [0], **{key: [round(value, 4)] for key, value in start.items()}},
        "all": {
            "labels": [known],
            "accuracy": [round(best["accuracy"], 4)],
            "macro_f1": [round(best["macro_f1"], 4)],
        },
    }
    return BenchmarkResult(
        config=name,
        items=len(base.pool),
        test_items=len(base.test or ()),
        labels=len(base.config.labels),
        seeds=plan.seeds,
        budget=plan.at[-1],
        full_accuracy=round(best["accuracy"], 4),
        full=full,
        arms={**{arm: curve.to_dict() for arm, curve in curves.items()}, **points},
        labels_to={
            share: {
                **{arm: _rounded(mean_labels_to(curve, goal)) for arm, curve in curves.items()},
                "proposer": 0 if start["accuracy"] >= goal else None,
                "all": known,
            }
            for share, goal in goals.items()
        },
        ratios={
            share: {f"hilt/{arm}": ratio(curves["hilt"], curves[arm], goal, rng) for arm in others}
            for share, goal in goals.items()
        },
        area={
            arm: {of: float(each.mean()) for of, each in by.items()} for arm, by in areas.items()
        },
        against={arm: tally(areas["hilt"]["labels"], areas[arm]["labels"]) for arm in others},
        seconds_per_label=_seconds_per_label(rows, plan),
        seconds=round(_total_seconds(rows), 1),
    )


def _curve(runs: Sequence[Sequence[dict[str, Any]]], start: float | None) -> Curve:
    """Gather one arm's seeds; the person waits while the machine trains."""
    labels = np.array([row["labels"] for row in runs[0]])
    machine = np.cumsum([[row["seconds"] for row in run] for run in runs], axis=1)
    review = np.array([[row["review_seconds"] for row in run] for run in runs])
    return Curve(
        labels=labels,
        accuracy=np.array([[row["accuracy"] for row in run] for run in runs]),
        macro_f1=np.array([[row["macro_f1"] for row in run] for run in runs]),
        minutes=(review + machine) / 60,
        start=start,
    )


def _areas(curves: dict[str, Curve], budget: int) -> dict[str, dict[str, Any]]:
    within = {arm: curve.labels <= budget for arm, curve in curves.items()}
    most_minutes = min(float(curve.minutes[:, within[arm]].max()) for arm, curve in curves.items())
    return {
        arm: {
            "labels": area(
                np.tile(curve.labels, (curve.seeds, 1)).astype(float), curve.accuracy, budget
            ),
            "minutes": area(curve.minutes, curve.accuracy, most_minutes),
        }
        for arm, curve in curves.items()
    }


def _proposer(base: Workspace) -> dict[str, float]:
    """Measure what the proposers say together before there are labels."""
    proposals = Proposals(base, load_embedder(base))
    _, positions = labelled_test(base)
    together = pool_logarithmically([*proposals.test_rows()], proposals.trust.exponents)
    found = measure(together, positions)
    return {"accuracy": found.accuracy, "macro_f1": found.macro_f1}


def _check_folder(folder: Path, config: Config, plan: BenchmarkPlan) -> None:
    """Make sure that the runs in a folder are of the same benchmark, and mark a new one."""
    made_of = fingerprint({"config": config.model_dump(), "at": plan.at})
    check_folder_place(folder)
    mark = folder / MARK
    found = read_object(mark)
    if found is not None and {"made_of", "plan"} <= set(found):
        if found["made_of"] != made_of:
            raise WorkspaceError(
                f"{folder} holds runs of another configuration or other label counts; choose"
                " another --folder, or remove it."
            )
        return
    if folder.exists() and any(folder.iterdir()):
        raise WorkspaceError(f"{folder} holds other files; choose another --folder.")
    with sentences(folder):
        make_parents(folder)
    write_json(mark, {"made_of": made_of, "plan": asdict(plan)})


def _seconds_per_label(rows: dict[str, Any], plan: BenchmarkPlan) -> float:
    last = [runs[-1] for name, runs in rows.items() if name.rpartition("-")[0] in plan.arms]
    seconds: float = sum(row["review_seconds"] for row in last)
    answers: int = sum(row["labels"] for row in last)
    return round(seconds / answers, 2)


def _total_seconds(rows: dict[str, Any]) -> float:
    return sum(
        sum(row["seconds"] for row in result) if isinstance(result, list) else result["seconds"]
        for result in rows.values()
    )


def _rounded(labels: float | None) -> float | None:
    return None if labels is None else round(labels, 1)
