"""What every proposer, and the student, say of some items."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from hilt.pipeline.proposing.embedding import load_embedder
from hilt.pipeline.proposing.panel import Panel
from hilt.pipeline.workspace.arrays import ArrayFile
from hilt.pipeline.workspace.workspace import Workspace
from hilt.types import Floats, Integers

STUDENT = "student"


class Committee:
    """The student, where there is one, and the proposers, each calibrated.

    Nothing is opened before somebody asks.

    Args:
        workspace: Where their proposals are.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Who its members are, in the order of every array here."""
        student = (STUDENT,) if self._student is not None else ()
        return (*student, *self.proposals.names)

    def __call__(self, indices: Integers) -> Floats:
        """Ask all of them: shape (n_members, m, n_labels), NaN rows where one abstains."""
        said = self.proposals.rows(indices)
        if self._student is None:
            return said
        student = self._student.open()[indices].astype(np.float32)
        return np.concatenate([student[None], said])

    @cached_property
    def proposals(self) -> Panel:
        """What the proposers other than the student say."""
        return Panel(self._workspace, load_embedder(self._workspace))

    @cached_property
    def _student(self) -> ArrayFile | None:
        return self._workspace.student_proposal
