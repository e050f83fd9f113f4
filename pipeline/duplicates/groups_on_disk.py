"""Whether the near-duplicates on disk are those of the present rule, settings and embeddings."""

from __future__ import annotations

from hilt.pipeline.duplicates.rule import RULE
from hilt.pipeline.workspace.arrays import Maker
from hilt.pipeline.workspace.workspace import Workspace

EMBEDDINGS_CHANGED = "the embeddings changed"  # why what rests on them is outdated


def are_groups_current(workspace: Workspace) -> bool:
    """Tell whether the near-duplicates are those of the graph and thresholds as they are now."""
    if not workspace.config.duplicates.near:
        return True
    return workspace.near_duplicates.is_current(groups_maker(workspace))


def why_group_anew(workspace: Workspace) -> str:
    """Say in a sentence why near-duplicates are to be found again; nothing where they are not."""
    if are_groups_current(workspace):
        return ""
    if workspace.near_duplicates.maker() is None:
        return "Near-duplicates are yet to be found."
    if are_groups_of_an_older_rule(workspace):
        return "Near-duplicates are to be grouped anew, because hilt's rule for them has changed."
    return "Near-duplicates are to be grouped anew, because the embeddings or settings changed."


def why_groups_differ(workspace: Workspace) -> str:
    """Say in a clause how the near-duplicates are not of the present configuration and embeddings.

    Returns:
        Nothing where they are, or where there are none. Those of an older rule of hilt are.
    """
    made, settings = workspace.near_duplicates.maker(), workspace.config.duplicates
    if made is None or not settings.near:
        return ""
    for name in ("cosine", "overlap"):
        was, now = made.get(name), getattr(settings, name)
        if was != now:
            return f"duplicates.{name} was {was} and is {now}"
    return "" if made.get("graph") == workspace.neighbours.maker() else EMBEDDINGS_CHANGED


def are_groups_of_an_older_rule(workspace: Workspace) -> bool:
    """Tell whether the near-duplicates are those of an older hilt, which compared otherwise."""
    made = workspace.near_duplicates.maker()
    return workspace.config.duplicates.near and made is not None and "rule" not in made


def groups_maker(workspace: Workspace) -> Maker:
    """Say what makes the near-duplicates: the rule, the graph and the thresholds."""
    settings = workspace.config.duplicates
    return {
        "rule": RULE,
        "graph": workspace.neighbours.maker(),
        "cosine": settings.cosine,
        "overlap": settings.overlap,
    }
