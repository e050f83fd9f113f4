"""The loop with an answer key: hilt beside what a user would do otherwise, over many seeds."""

from __future__ import annotations

from pathlib import Path

from hilt.errors import WorkspaceError
from hilt.files import read_object, sentences, write_json
from hilt.output_places import check_folder_place, make_parents
from hilt.pipeline.benchmarking.arms import Stopwatch
from hilt.pipeline.benchmarking.plan import (
    BenchmarkPlan,
    check_budget,
    check_plan,
    check_runnable,
)
from hilt.pipeline.benchmarking.result import BenchmarkResult, compile_result
from hilt.pipeline.benchmarking.running import ArmJob, FullJob, list_jobs, run_all
from hilt.pipeline.configuration.config import Config
from hilt.pipeline.configuration.reading import load_config
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.workspace.arrays import fingerprint
from hilt.pipeline.workspace.init import init
from hilt.pipeline.workspace.workspace import Workspace
from hilt.progress import Progress, Silent

__all__ = ["BenchmarkPlan", "BenchmarkResult", "benchmark"]

MARK = "benchmark.json"
LAYOUT = 2  # of the files of runs; those of another cannot be gone on with
ALWAYS = ("proposer", "all")  # measured once, whatever arms there are


def benchmark(
    config: Path | str,
    folder: Path | str,
    plan: BenchmarkPlan,
    *,
    device: str | None = None,
    progress: Progress | None = None,
) -> BenchmarkResult:
    """Run every arm with every seed, and compare them.

    Finished runs in the same folder are reused; seeds, arms and larger label counts can be
    added.

    Args:
        config: A configuration with `pool.label` and `test`.
        folder: The folder that keeps the runs.
        plan: What to run.
        device: Where models run; default: the configuration.
        progress: Receives progress and notes.

    Raises:
        ConfigError: If the configuration, an arm or a label count cannot be used.
        WorkspaceError: If there is no answer key, or the folder holds something else.
    """
    progress = progress or Silent()
    folder = Path(folder)
    settings = load_config(config)
    check_plan(plan)
    check_runnable(settings, plan)
    check_folder(folder, settings, plan)
    base, preparation = _prepare(folder, config, plan, device, progress)
    jobs = list_jobs(base, folder, plan)
    run_all(jobs, plan.processes, base.device, progress)
    arms = [job for job in jobs if isinstance(job, ArmJob)]
    runs = {
        arm: [list(job.rows().values()) for job in arms if job.run.arm == arm] for arm in plan.arms
    }
    full = {job.kind: job.found() for job in jobs if isinstance(job, FullJob)}
    return compile_result(Path(config).stem, LoopState.read(base), plan, runs, full, preparation)


def _prepare(
    folder: Path,
    config: Path | str,
    plan: BenchmarkPlan,
    device: str | None,
    progress: Progress,
) -> tuple[Workspace, float]:
    """Make what all runs share, and say how many seconds of one core it took the first time."""
    watch, note = Stopwatch(), folder / "preparation.json"
    base = init(folder / "base", config, device=device, progress=progress)
    check_budget(plan, len(base.pool))
    propose(base)
    if not note.exists():
        write_json(note, watch.lap())
    return base, (read_object(note) or {}).get("core_seconds", 0.0)


def check_folder(folder: Path, config: Config, plan: BenchmarkPlan) -> None:
    """Make sure that the runs in a folder are of the same benchmark, and mark a new one.

    Raises:
        WorkspaceError: If they are of another, or the folder holds something else.
    """
    made_of = fingerprint({"config": config.model_dump(exclude={"runner"}), "layout": LAYOUT})
    check_folder_place(folder)
    mark = folder / MARK
    found = read_object(mark)
    if found is None or "made_of" not in found:
        if folder.exists() and any(folder.iterdir()):
            raise WorkspaceError(f"{folder} contains other files; choose another --folder.")
        with sentences(folder):
            make_parents(folder)
    elif found["made_of"] != made_of:
        raise WorkspaceError(
            f"{folder} contains runs of another configuration or of another version of hilt;"
            " choose another --folder, or remove it."
        )
    elif list(plan.at[: len(found["at"])]) != found["at"]:
        raise WorkspaceError(
            f"{folder} contains runs at {_listed(found['at'])} labels, but --at asks for"
            f" {_listed(plan.at)}: label counts can only be added at the end. Repeat the"
            " former ones in --at, or choose another --folder."
        )
    write_json(mark, {"made_of": made_of, "at": plan.at})


def _listed(counts: list[int] | tuple[int, ...]) -> str:
    return ",".join(map(str, counts))
