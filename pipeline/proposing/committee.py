"""What every proposer, and the student, say of some items."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from hilt.pipeline.proposing.panel import Panel
from hilt.pipeline.workspace.arrays import ArrayFile
from hilt.rows import Rows
from hilt.types import Integers

STUDENT = "student"


class Committee:
    """The student, where there is one, and the proposers, each calibrated.

    Args:
        panel: What the proposers say.
    """

    def __init__(self, panel: Panel) -> None:
        self.panel = panel

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Who its members are, in the order of every array here."""
        student = (STUDENT,) if self._student is not None else ()
        return (*student, *self.panel.names)

    def __call__(self, indices: Integers) -> tuple[Rows, ...]:
        """Ask all of them about some items: NaN rows where one abstains."""
        proposed = self.panel.rows(indices)
        if self._student is None:
            return proposed
        student = self.panel.files.rows(self._student).take(indices)
        return Rows(student.values.astype(np.float32), student.offsets), *proposed

    @cached_property
    def _student(self) -> ArrayFile | None:
        return self.panel.files.student_proposal
