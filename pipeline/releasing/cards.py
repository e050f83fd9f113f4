"""The cards of a dataset and of a student, as model and dataset hubs read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import jinja2
import yaml

from hilt.figures import counted, decimals, headed, percent, with_interval
from hilt.media.base import MEDIA, Medium
from hilt.media.text import TEXT
from hilt.pipeline.configuration.student import STUDENTS
from hilt.pipeline.duplicates.inheriting import Check
from hilt.pipeline.releasing.columns.base import OTHER, AnswerColumn, column_of
from hilt.pipeline.releasing.dataset import Counts, features_of, item_columns
from hilt.pipeline.students.base import Card
from hilt.pipeline.students.saved import MEDIUM, OWN_ENCODER, TASK, SavedStudent
from hilt.pipeline.training.headline import (
    accuracies,
    calibration,
    checked_items,
    on_labelled,
    rests_on,
    too_early,
)
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.training_summary import TrainingSummary
from hilt.proposers.base import EMBEDDERS
from hilt.tasks.base import TASKS
from hilt.tasks.single import Single

UNKNOWN_LANGUAGE = "und"  # "undetermined", in the list of languages that hubs use
TAGS = ["active-learning", "hilt"]


def dataset_card(
    name: str,
    files: WorkspaceFiles,
    counts: Counts,
    training: TrainingSummary | None,
    check: Check | None,
) -> str:
    """Write the card of a dataset.

    Args:
        name: What to call it.
        files: With the configuration and the task that it was made with.
        counts: Its rows.
        training: What the last training came to; None before the first.
        check: How often inherited labels were right, where that was checked.
    """
    config, column = files.config, column_of(files.task)
    of_item = tuple(item_columns(files.medium, column).values())
    head = {
        "pretty_name": name,
        "language": [config.language or UNKNOWN_LANGUAGE],
        "task_categories": [column.category],
        "tags": [column.category, *TAGS],
        "size_categories": [_size(counts.rows)],
        "configs": [{"config_name": "default", "data_files": "dataset.parquet"}],
        "dataset_info": {"features": _features(column, of_item)},
    }
    return _render(
        "dataset_card.md",
        head,
        {
            "name": name,
            "config": config,
            "column": column,
            "of_item": of_item,
            "counts": counts,
            "training": training,
            "check": check,
        },
    )


def model_card(
    name: str, files: WorkspaceFiles, cycle: int, training: TrainingSummary, saved: SavedStudent
) -> str:
    """Write the card of a released student.

    Args:
        name: What to call the project.
        files: With the configuration and the task that it was made with.
        cycle: The number of its training.
        training: What that came to.
        saved: The student, as it is in the release.
    """
    card, config, category = saved.student.card(), files.config, column_of(files.task).category
    head = {
        "library_name": card.library,
        **({} if category == OTHER else {"pipeline_tag": category}),
        "language": [config.language or UNKNOWN_LANGUAGE],
        "tags": [category, *TAGS],
    }
    values = {
        "name": name,
        "config": config,
        "cycle": cycle,
        "training": training,
        "card": card,
        "encoder": _encoder(saved),
        "own": list(own_classes(saved)),
        "what": _what(saved),
        "known_layout": saved.task.layout in TASKS.built_in,
        "onnx": not {saved.student.kind, _embedder_kind(saved)} & {*own_classes(saved)},
        "texts": _examples(saved.medium),
    }
    return _render("model_card.md", head, values)


def onnx_card(labels: Sequence[str], card: Card) -> str:
    """Write the card of a student as ONNX, given its labels and what it says of itself."""
    return _render("onnx_card.md", None, {"labels": labels, "card": card})


def own_classes(saved: SavedStudent) -> tuple[str, ...]:
    """Name the classes that are not hilt's, and must be trusted where the student is used."""
    medium, task = saved.record.get(MEDIUM, TEXT.name), saved.record.get(TASK, Single.name)
    named = (
        (STUDENTS, saved.student.kind),
        (EMBEDDERS, _embedder_kind(saved)),
        (MEDIA, medium if isinstance(medium, str) else medium["kind"]),
        (TASKS, task if isinstance(task, str) else task["kind"]),
    )
    return tuple(kind for registry, kind in named if registry.is_own(kind))


def _embedder_kind(saved: SavedStudent) -> str:
    return str((saved.record["embedder"] or {}).get("kind", "sentence_transformers"))


def _what(saved: SavedStudent) -> str:
    """Say what a student is, in a few words."""
    if saved.task.layout not in TASKS.built_in:
        return f"A model for the task `{saved.task.name}`"
    if saved.medium.name == TEXT.name:
        return "A text classifier"
    return f"A classifier of `{saved.medium.name}`"


def _examples(medium: Medium) -> str:
    """Write two items as Python, for a student to label."""
    if len(medium.columns) == 1:
        return '["One text.", "Another."]'
    return repr([tuple(f"{which} {name}" for name in medium.columns) for which in ("A", "Another")])


def _encoder(saved: SavedStudent) -> str:
    """Say of which encoder a student needs the vectors, and where that is."""
    embedder = saved.record["embedder"]
    if embedder is None:
        return "It has its own encoder, and needs no other."
    if EMBEDDERS.is_own(embedder.get("kind", "sentence_transformers")):
        return f"It reads the vectors of `{embedder['kind']}`, which must be installed too."
    checksum = saved.record["embedder_weights"]
    weights = f" The SHA-256 of its weights is `{checksum}`." if checksum else ""
    if embedder.get("prompt"):
        weights = f" Put `{embedder['prompt']}` before every text.{weights}"
    if embedder["model"] == OWN_ENCODER:
        return f"It reads the vectors of the encoder in `encoder/`, and needs no other.{weights}"
    checked = " That is checked when hilt loads the student." if checksum else ""
    revision = f", revision `{embedder['revision']}`" if embedder.get("revision") else ""
    return (
        f"It reads the vectors of `{embedder['model']}`{revision}, which is not in this folder:"
        f" hilt loads it from the hub, or from a package that contains it.{weights}{checked}"
    )


def _features(column: AnswerColumn, of_item: Iterable[str]) -> list[dict[str, Any]]:
    """List the columns as the head of a card has them."""
    features = features_of(column, of_item)
    return [{"name": name, "dtype": _dtype(feature)} for name, feature in features.items()]


def _dtype(feature: Any) -> Any:  # noqa: ANN401 - the features of `datasets` share no type
    names = getattr(feature, "names", None)
    if names is None:
        return feature.dtype
    return {"class_label": {"names": {str(place): name for place, name in enumerate(names)}}}


def _size(rows: int) -> str:
    """Say how large a dataset is, in the words of the hub."""
    bounds = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M"}
    return next((words for bound, words in bounds.items() if rows < bound), "n>1M")


def _render(template: str, head: Mapping[str, Any] | None, values: Mapping[str, Any]) -> str:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("hilt.pipeline.releasing", "templates"),
        autoescape=False,
        trim_blocks=True,
        keep_trailing_newline=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(
        cell=_cell,
        counted=counted,
        headed=headed,
        percent=percent,
        with_interval=with_interval,
        decimals=decimals,
        calibration=calibration,
    )
    environment.globals.update(
        accuracies=accuracies,
        checked_items=checked_items,
        on_labelled=on_labelled,
        rests_on=rests_on,
        too_early=too_early,
    )
    body = environment.get_template(template).render(
        version=version("hilt"), date=datetime.now(UTC).strftime("%Y-%m-%d"), **values
    )
    if head is None:
        return body
    front = yaml.safe_dump(dict(head), sort_keys=False, allow_unicode=True, width=100)
    return f"---\n{front}---\n{body}"


def _cell(text: str) -> str:
    """Put a text into one line, and into one cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")
