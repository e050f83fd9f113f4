"""The runs of a benchmark, several at one time, each with its result in a small file of its own."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from multiprocessing import get_context, parent_process
from multiprocessing.context import BaseContext
from pathlib import Path
from threading import Thread
from typing import Any

from hilt.files import read_object, write_json
from hilt.pipeline.benchmarking.arms import STATE, Row, Run, run_loop
from hilt.pipeline.benchmarking.ceiling import run_full
from hilt.pipeline.benchmarking.plan import BenchmarkPlan
from hilt.pipeline.benchmarking.random_labels import plain_counts, run_plain, run_setfit
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.progress import Progress
from hilt.proposers.models.encoder import resolve_device

WITHOUT_HILT: dict[str, Callable[[Run], Iterator[Row]]] = {
    "setfit": run_setfit,
    "plain": run_plain,
}


@dataclass(frozen=True, slots=True)
class ArmJob:
    """One seed of one arm, whose rows are written one by one."""

    run: Run
    path: Path

    @property
    def is_done(self) -> bool:
        """Whether it has measured at every label count, and at no other."""
        return tuple(self.rows()) == self.run.at

    def rows(self) -> dict[int, Row]:
        """Read what was measured, by label count; nothing where a file is missing or damaged."""
        return {row["labels"]: row for row in (read_object(self.path) or {}).get("rows", [])}

    def work(self) -> None:
        """Measure what is missing, and clear away what it worked in."""
        kept = {labels: row for labels, row in self.rows().items() if labels in self.run.at}
        function = WITHOUT_HILT.get(self.run.arm, run_loop)
        for row in function(replace(self.run, done=tuple(kept))):
            kept[row["labels"]] = row
            write_json(self.path, {"rows": [kept[labels] for labels in sorted(kept)]})
        shutil.rmtree(self.run.folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class FullJob:
    """One kind of student on every label."""

    base: Path
    kind: str
    device: str
    path: Path

    @property
    def is_done(self) -> bool:
        """Whether it was measured."""
        return bool(self.found())

    def found(self) -> dict[str, Any]:
        """Read what it came to; nothing where a file is missing or damaged."""
        return read_object(self.path) or {}

    def work(self) -> None:
        """Train and measure it."""
        write_json(self.path, run_full(self.base, self.kind, self.device))


Job = ArmJob | FullJob


def list_jobs(base: WorkspaceFiles, folder: Path, plan: BenchmarkPlan) -> list[Job]:
    """List what a plan comes to, the longest first: the ceilings, then seed by seed."""
    runs = folder / "runs"
    runs.mkdir(exist_ok=True)
    full = [
        FullJob(base.folder, kind, base.device, runs / f"full-{kind}.json")
        for kind in reversed(plan.ceilings(base.config))
    ]
    known = len(base.pool.known_answers(base.task))
    arms = []
    for place in range(plan.seeds):
        for arm in plan.arms:
            if place < plan.seeds_of(arm):
                seed = base.config.seed + place
                name = f"{arm}-{seed}"
                at = plain_counts(plan.at, known) if arm == "plain" else plan.at
                state = runs / f"{name}-{STATE}"
                run = Run(arm, seed, at, base.folder, folder / "work" / name, base.device, state)
                arms.append(ArmJob(run, runs / f"{name}.json"))
    return [*full, *arms]


def run_all(jobs: Sequence[Job], processes: int, device: str, progress: Progress) -> None:
    """Run in several processes what was not run before."""
    missing = [job for job in jobs if not job.is_done]
    threads = threads_of_each(processes)
    with progress.task("Runs", len(jobs), "runs") as advance:
        advance(len(jobs) - len(missing))
        if missing:
            with ProcessPoolExecutor(
                min(processes, len(missing)),
                _fresh_processes(resolve_device(device)),
                begin_process,
                (threads,),
                max_tasks_per_child=1,  # what a run leaves in memory goes with its process
            ) as pool:
                futures = [pool.submit(_work, job) for job in missing]
                for future in futures:
                    future.add_done_callback(lambda _done: advance(1))
                _wait(futures)


def threads_of_each(processes: int) -> int:
    """Say how many threads each of several processes gets: its share, or OMP_NUM_THREADS if less.

    More threads than free cores wait for each other most of the time.
    """
    share = max(1, (os.cpu_count() or 1) // processes)
    most = os.environ.get("OMP_NUM_THREADS", "")
    return min(share, int(most)) if most.isdecimal() and int(most) > 0 else share


def _work(job: Job) -> None:
    job.work()


def _fresh_processes(device: str) -> BaseContext:
    """Say how processes begin: on Linux's processors as forks of one that has imported everything.

    A process for each run would otherwise import torch and the rest anew, which takes longer than
    some runs. Graphics cards, and the libraries of macOS, do not survive a fork.
    """
    if device != "cpu" or sys.platform != "linux":
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload(["sentence_transformers", __name__])
    return context


def _wait(futures: Sequence[Future[None]]) -> None:
    """Wait for all; when one fails, let those that run end, start no other, and raise."""
    done, waiting = wait(futures, return_when=FIRST_EXCEPTION)
    for future in waiting:
        future.cancel()
    for future in done:
        future.result()


def begin_process(threads: int) -> None:
    """Give a process its share of the processor, and let it end with the one that waits for it.

    A kill of that one would otherwise leave runs behind, in the way of those that go on from them.
    """
    import faiss
    import torch
    from threadpoolctl import threadpool_limits

    Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(threads)
    faiss.omp_set_num_threads(threads)
    threadpool_limits(threads)


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)  # at once: what it was writing becomes visible when it is whole, or not at all
