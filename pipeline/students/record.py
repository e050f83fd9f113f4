"""What a student's record may say: names of labels, and of code that is known or trusted."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hilt.errors import ModelError
from hilt.media.base import MEDIA, Medium, make_medium
from hilt.media.text import TEXT
from hilt.own_code import shortened
from hilt.pipeline.configuration.embedder import Embedder
from hilt.proposers.base import EMBEDDERS
from hilt.registry import Registry, nearest
from hilt.tasks.base import TASKS, Task
from hilt.tasks.single import Single


def checked_kind(registry: Registry, kind: object, trust: Collection[str], place: str) -> str:
    """Make sure that a name stands for code that is hilt's, an installed package's, or trusted.

    Args:
        registry: Of what it must be a kind.
        kind: What the record says.
        trust: Names that somebody vouches for.
        place: Where it stands, for messages.

    Raises:
        ModelError: If it does not; nothing is imported.
    """
    if isinstance(kind, str) and (kind in registry.names() or kind in trust):
        return kind
    shown = shortened(repr(kind), 80)
    if isinstance(kind, str) and ":" in kind:
        raise ModelError(
            f"{place} names code that is not part of hilt, {shown}, which was not run; if you know"
            f" and trust it, add --trust {shortened(kind, 80)}, or `trust` in Python."
        )
    hint = nearest(kind, registry.names()) if isinstance(kind, str) else ""
    raise ModelError(
        f"{place} is {shown}, which is not a {registry.what}.{hint} Available:"
        f" {', '.join(registry.names())}."
    )


def checked_labels(labels: Any, folder: Path) -> tuple[str, ...]:  # noqa: ANN401 - from JSON
    """Make sure that these are names of labels, each once.

    Raises:
        ModelError: If they are not.
    """
    texts = isinstance(labels, list) and all(isinstance(label, str) for label in labels)
    if not (texts and labels and len(set(labels)) == len(labels)):
        raise ModelError(
            f"The student in {folder} has no list of different labels in its student.json, but"
            f" {shortened(repr(labels), 80)}; restore a copy of it, or train again."
        )
    return tuple(labels)


def checked_embedder(
    embedder: Any,  # noqa: ANN401 - from JSON
    trust: Collection[str],
    record: Path,
) -> dict[str, Any] | None:
    """Make sure that this is an `embedder` section of a configuration, or None.

    Raises:
        ModelError: If it is not, or names code that nobody trusts.
    """
    if embedder is None:
        return None
    if not isinstance(embedder, dict):
        raise ModelError(
            f"`embedder` in {record} is {shortened(repr(embedder), 80)}, which is not a section;"
            " restore a copy of it, or train again."
        )
    kind = embedder.get("kind", "sentence_transformers")
    checked_kind(EMBEDDERS, kind, trust, f"`embedder.kind` in {record}")
    if EMBEDDERS.is_own(kind):
        return embedder  # it checks its settings itself
    try:
        Embedder.model_validate(embedder)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, ("embedder", *first["loc"])))
        raise ModelError(
            f"`{key}` in {record}: {shortened(first['msg'], 200)}; restore a copy of it, or train"
            " again."
        ) from None
    return embedder


def checked_task(
    task: Any,  # noqa: ANN401 - from JSON
    labels: tuple[str, ...],
    trust: Collection[str],
    record: Path,
) -> Task:
    """Make the task that a record names; an older hilt named none, which was `single`.

    Raises:
        ModelError: If it is none, or names code that nobody trusts.
    """
    section = {"kind": task} if isinstance(task, str) else task
    if section is None:
        return Single(labels)
    if not isinstance(section, dict) or not isinstance(section.get("settings", {}), dict):
        raise ModelError(
            f"`task` in {record} is {shortened(repr(task), 80)}, which is not a section;"
            " restore a copy of it, or train again."
        )
    kind = checked_kind(TASKS, section.get("kind"), trust, f"`task` in {record}")
    made: Task = TASKS.make(kind, f"Task {kind!r}", section.get("settings", {}), labels)
    return made


def checked_medium(
    medium: Any,  # noqa: ANN401 - from JSON
    trust: Collection[str],
    record: Path,
) -> Medium:
    """Make the medium that a record names; an older hilt named none, which was `text`.

    Raises:
        ModelError: If it names none, or code that nobody trusts.
        ExtensionError: If it is a class of the user's own that cannot be built.
    """
    if medium is None:
        return TEXT
    if isinstance(medium, str):
        medium = {"kind": medium}
    if not isinstance(medium, dict) or not isinstance(medium.get("settings", {}), dict):
        raise ModelError(
            f"`medium` in {record} is {shortened(repr(medium), 80)}, which is not a section;"
            " restore a copy of it, or train again."
        )
    kind = checked_kind(MEDIA, medium.get("kind"), trust, f"`medium.kind` in {record}")
    return make_medium(kind, medium.get("settings", {}))
