"""Whether the near-duplicates on disk are those of the present rule, settings and embeddings."""

from __future__ import annotations

from hilt.pipeline.duplicates.rule import RULE
from hilt.pipeline.workspace.arrays import Maker
from hilt.pipeline.workspace.files import WorkspaceFiles

EMBEDDINGS_CHANGED = "the embeddings changed"  # why what rests on them is outdated


def are_groups_current(files: WorkspaceFiles) -> bool:
    """Tell whether the near-duplicates are those of the graph and thresholds as they are now."""
    if not files.config.duplicates.near:
        return True
    return files.near_duplicates.is_current(groups_maker(files))


def why_group_anew(files: WorkspaceFiles) -> str:
    """Say in a sentence why near-duplicates are to be found again; nothing where they are not."""
    if are_groups_current(files):
        return ""
    if files.near_duplicates.maker() is None:
        return "Near-duplicates were not searched yet."
    if are_groups_of_an_older_rule(files):
        return "Near-duplicates must be grouped again, because hilt's rule for them has changed."
    return "Near-duplicates must be grouped again, because the embeddings or settings changed."


def why_groups_differ(files: WorkspaceFiles) -> str:
    """Say in a clause how the near-duplicates are not of the present configuration and embeddings.

    Returns:
        Nothing where they are, or where there are none. Those of an older rule of hilt are.
    """
    made, settings = files.near_duplicates.maker(), files.config.duplicates
    if made is None or not settings.near:
        return ""
    for name in ("cosine", "overlap"):
        was, now = made.get(name), getattr(settings, name)
        if was != now:
            return f"duplicates.{name} was {was} and is {now}"
    return "" if made.get("graph") == files.neighbours.maker() else EMBEDDINGS_CHANGED


def are_groups_of_an_older_rule(files: WorkspaceFiles) -> bool:
    """Tell whether the near-duplicates are those of an older hilt, which compared otherwise."""
    made = files.near_duplicates.maker()
    return files.config.duplicates.near and made is not None and "rule" not in made


def groups_maker(files: WorkspaceFiles) -> Maker:
    """Say what makes the near-duplicates: the rule, the graph and the thresholds."""
    settings = files.config.duplicates
    return {
        "rule": RULE,
        "graph": files.neighbours.maker(),
        "cosine": settings.cosine,
        "overlap": settings.overlap,
    }
