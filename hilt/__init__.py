"""A human-in-the-loop labelling pipeline.

    import hilt

    work = hilt.init("work", "configs/tickets.yaml")
    hilt.propose(work)
    batch = hilt.select(work)
    said = [hilt.Decision(item.item_id, "label", ("billing",), "ann") for item in batch.items]
    hilt.record(work, said)
    hilt.cycle(work)
    hilt.release(work, "out")

Names are imported when they are first used, so that `import hilt` loads no model.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hilt.errors import (
        ConfigError,
        DataError,
        ExtensionError,
        HiltError,
        MissingExtraError,
        ModelError,
        OutputError,
        RunnerError,
        UnknownNameError,
        WorkspaceError,
    )
    from hilt.pipeline.benchmarking.benchmark import BenchmarkPlan, benchmark
    from hilt.pipeline.benchmarking.demo import demo
    from hilt.pipeline.configuration.config import Config
    from hilt.pipeline.configuration.reading import load_config
    from hilt.pipeline.cycle import cycle
    from hilt.pipeline.duplicates.contrary import find_contrary
    from hilt.pipeline.proposing.duplicates import duplicates
    from hilt.pipeline.proposing.propose import propose
    from hilt.pipeline.proposing.rule_table import rules
    from hilt.pipeline.releasing.loaded import load_student
    from hilt.pipeline.releasing.onnx_export import onnx
    from hilt.pipeline.releasing.predict import predict
    from hilt.pipeline.releasing.release import release
    from hilt.pipeline.reporting.report import report
    from hilt.pipeline.reporting.status import status
    from hilt.pipeline.reviewing.answer_files import export, import_answers, record, simulate
    from hilt.pipeline.reviewing.disagreements import agreement
    from hilt.pipeline.reviewing.exporting import export_decisions
    from hilt.pipeline.reviewing.given_proposals import import_proposals
    from hilt.pipeline.reviewing.oracle import oracle
    from hilt.pipeline.reviewing.reviewers import add_reviewer, remove_reviewer, reviewers
    from hilt.pipeline.reviewing.serving import review_in_browser
    from hilt.pipeline.selecting.batches import select
    from hilt.pipeline.training.train import train
    from hilt.pipeline.workspace.decisions import decisions
    from hilt.pipeline.workspace.growing import append
    from hilt.pipeline.workspace.init import init
    from hilt.pipeline.workspace.workspace import Workspace, open_workspace
    from hilt.types import (
        Batch,
        BatchItem,
        Decision,
        Items,
        Label,
        Part,
        Selection,
        SelectionView,
    )

_HOMES = {
    "hilt.errors": (
        "ConfigError",
        "DataError",
        "ExtensionError",
        "HiltError",
        "MissingExtraError",
        "ModelError",
        "OutputError",
        "RunnerError",
        "UnknownNameError",
        "WorkspaceError",
    ),
    "hilt.pipeline.reviewing.disagreements": ("agreement",),
    "hilt.pipeline.selecting.batches": ("select",),
    "hilt.pipeline.benchmarking.benchmark": ("BenchmarkPlan", "benchmark"),
    "hilt.pipeline.benchmarking.demo": ("demo",),
    "hilt.pipeline.duplicates.contrary": ("find_contrary",),
    "hilt.pipeline.configuration.config": ("Config",),
    "hilt.pipeline.configuration.reading": ("load_config",),
    "hilt.pipeline.cycle": ("cycle",),
    "hilt.pipeline.training.train": ("train",),
    "hilt.pipeline.workspace.decisions": ("decisions",),
    "hilt.pipeline.proposing.duplicates": ("duplicates",),
    "hilt.pipeline.reviewing.exporting": ("export_decisions",),
    "hilt.pipeline.reviewing.given_proposals": ("import_proposals",),
    "hilt.pipeline.workspace.growing": ("append",),
    "hilt.pipeline.reviewing.oracle": ("oracle",),
    "hilt.pipeline.releasing.predict": ("predict",),
    "hilt.pipeline.proposing.propose": ("propose",),
    "hilt.pipeline.releasing.release": ("release",),
    "hilt.pipeline.releasing.loaded": ("load_student",),
    "hilt.pipeline.reporting.report": ("report",),
    "hilt.pipeline.reviewing.serving": ("review_in_browser",),
    "hilt.pipeline.reviewing.reviewers": ("add_reviewer", "remove_reviewer", "reviewers"),
    "hilt.pipeline.reviewing.answer_files": (
        "export",
        "import_answers",
        "record",
        "simulate",
    ),
    "hilt.pipeline.proposing.rule_table": ("rules",),
    "hilt.pipeline.reporting.status": ("status",),
    "hilt.pipeline.releasing.onnx_export": ("onnx",),
    "hilt.pipeline.workspace.init": ("init",),
    "hilt.pipeline.workspace.workspace": ("Workspace", "open_workspace"),
    "hilt.types": (
        "Batch",
        "BatchItem",
        "Decision",
        "Items",
        "Label",
        "Part",
        "Selection",
        "SelectionView",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Batch",
    "BatchItem",
    "BenchmarkPlan",
    "Config",
    "ConfigError",
    "DataError",
    "Decision",
    "ExtensionError",
    "HiltError",
    "Items",
    "Label",
    "MissingExtraError",
    "ModelError",
    "OutputError",
    "Part",
    "RunnerError",
    "Selection",
    "SelectionView",
    "UnknownNameError",
    "Workspace",
    "WorkspaceError",
    "add_reviewer",
    "agreement",
    "append",
    "benchmark",
    "cycle",
    "decisions",
    "demo",
    "duplicates",
    "export",
    "export_decisions",
    "find_contrary",
    "import_answers",
    "import_proposals",
    "init",
    "load_config",
    "load_student",
    "onnx",
    "open_workspace",
    "oracle",
    "predict",
    "propose",
    "record",
    "release",
    "remove_reviewer",
    "report",
    "review_in_browser",
    "reviewers",
    "rules",
    "select",
    "simulate",
    "status",
    "train",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - what stands there decides
    if name not in _HOME_OF:
        raise AttributeError(f"module 'hilt' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
