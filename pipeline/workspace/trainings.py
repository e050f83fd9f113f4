"""The trainings of a workspace."""

from __future__ import annotations

from hilt.pipeline.workspace.tables import TrainingRow
from hilt.pipeline.workspace.workspace import Workspace


def latest_training(workspace: Workspace) -> TrainingRow | None:
    """Return the newest training, or None before the first."""
    trainings = workspace.database.trainings()
    return trainings[-1] if trainings else None
