"""Which columns of a source are read, and what is said when one is not there."""

from __future__ import annotations

from collections.abc import Sequence

from hilt.errors import DataError
from hilt.pipeline.configuration.sections import Source
from hilt.registry import nearest


def wanted_columns(source: Source) -> dict[str, str]:
    """Map what the pool calls a column (`id`, `text`, `label`) to what the source calls it."""
    named = {"id": source.id, "text": source.text, "label": source.label}
    return {role: column for role, column in named.items() if column is not None}


def check_columns(source: Source, present: Sequence[str], *, place: str | None = None) -> None:
    """Make sure that every column to read is there, once.

    Args:
        source: It names the columns.
        present: The names that were found.
        place: What the message begins with; the path when nothing nearer is known.

    Raises:
        DataError: If one is missing or its name stands twice in the header.
    """
    listed = ", ".join(repr(column) for column in present)
    for role, column in wanted_columns(source).items():
        if column not in present:
            raise DataError(
                f"{place or source.path}: there is no column {column!r}, which `{role}` names."
                f"{nearest(column, present)} Columns: {listed}."
            )
        if list(present).count(column) > 1:
            raise DataError(
                f"{place or source.path}: column {column!r} stands twice in the header; rename one."
                f" Columns: {listed}."
            )
