"""The files in the folder of a workspace, all but the database.

hilt.yaml            the configuration, with paths made absolute; edit it between commands
pool/  test/         the items, as memory-mapped Arrow
state.db             batches, decisions and trainings, unless `database` names another place
embeddings.npy       (n_items, d) float16
neighbours.npy       (n_items, 20) int32, the nearest items of each
cosines.npy          (n_items, 20) float16, how near they are
near-duplicates.npy  (n_items,) int32, the representative of each
graph/               the neighbours while they are being found
proposals/NAME.npy   (n_items, n_labels) float16, one per proposer, the student among them; of a
                     task with rows of its own, those
offsets.npy          (n_items + 1,) int64, where the rows of each item begin; of such a task alone
answers/             what an endpoint was paid for; in given/, proposals that came in a file
fused.npy            (n_items, n_labels) float16
guesses.json         how often each proposer's likeliest label is which
students/cycle-0001/ one folder per training
test-embeddings.npy  the same for the test items
outputs.json         which files were written elsewhere, so that they may be replaced
.review-secret       what the review screen seals its sessions with
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from hilt.command_line import command_line
from hilt.errors import WorkspaceError
from hilt.media.base import Medium
from hilt.outputs import LEDGER, Ledger
from hilt.pipeline.configuration.config import Config
from hilt.pipeline.pools.pool import Pool
from hilt.pipeline.runners.base import Runner, make_runner
from hilt.pipeline.workspace import student_seal as seal
from hilt.pipeline.workspace.arrays import ArrayFile
from hilt.pipeline.workspace.row_layout import RowLayout
from hilt.progress import Progress, Silent
from hilt.rows import Rows
from hilt.tasks.base import Task
from hilt.types import Graph, Integers

PROPOSALS = "proposals"  # the folder of what proposers say


@dataclass(frozen=True)
class WorkspaceFiles:
    """What the folder of a workspace holds beside the state, and how a command works on it.

    Attributes:
        folder: Where it is.
        config: Its configuration.
        device: Where models run, `config.device` unless a command says otherwise.
        progress: Receives progress and notes.
    """

    folder: Path
    config: Config
    device: str
    progress: Progress = field(default_factory=Silent)

    @cached_property
    def task(self) -> Task:
        """The shape of an answer, with the labels."""
        return self.config.task.make(self.config.label_names)

    @cached_property
    def medium(self) -> Medium:
        """What an item is."""
        return self.config.medium.make()

    @cached_property
    def pool(self) -> Pool:
        """The items to label."""
        return Pool.open(self.folder / "pool", self.medium)

    def reopen_pool(self) -> None:
        """Look at the pool anew: another process appended items."""
        vars(self).pop("pool", None)

    @cached_property
    def test(self) -> Pool | None:
        """The items to measure on, if there are any."""
        if self.config.test is None:
            return None
        return Pool.open(self.folder / "test", self.medium)

    @cached_property
    def runner(self) -> Runner:
        """Where the work on each item is done."""
        section = self.config.runner
        return make_runner(section.kind, section.built_with)

    @property
    def embeddings(self) -> ArrayFile:
        """One unit vector per item of the pool."""
        return self._array("embeddings.npy")

    @property
    def test_embeddings(self) -> ArrayFile:
        """One unit vector per item of the test set."""
        return self._array("test-embeddings.npy")

    @property
    def neighbours(self) -> ArrayFile:
        """The nearest items of each item of the pool."""
        return self._array("neighbours.npy")

    @property
    def cosines(self) -> ArrayFile:
        """How near they are."""
        return self._array("cosines.npy")

    @property
    def graph(self) -> Graph | None:
        """The neighbours with their cosines; None where there are none for these embeddings."""
        made_for = [
            (file.maker() or {}).get("embeddings") for file in (self.neighbours, self.cosines)
        ]
        made = self.embeddings.made_of()
        if made is None or made_for != [made] * 2:
            return None
        return Graph(self.neighbours.open(), self.cosines.open())

    @property
    def near_duplicates(self) -> ArrayFile:
        """The representative of each item's near-duplicates, itself where it is alone."""
        return self._array("near-duplicates.npy")

    @property
    def has_near_duplicates(self) -> bool:
        """Whether near-duplicates are wanted, and were looked for with these thresholds."""
        wanted, made = self.config.duplicates, self.near_duplicates.maker()
        if made is None or not wanted.near:
            return False
        return (made.get("cosine"), made.get("overlap")) == (wanted.cosine, wanted.overlap)

    @property
    def groups(self) -> Integers:
        """Which items share a decision: shape (n_items,), the representative of each.

        Without near-duplicates it is the first item with the same normalised text. An item
        without a text shares nothing.
        """
        groups = self.pool.groups
        if self.has_near_duplicates:
            near = self.near_duplicates.open()
            first = groups[len(near) :]  # of items that were appended since
            known = first < len(near)
            first = np.where(known, near[np.where(known, first, 0)], first)
            groups = np.append(near, first) if len(first) else near
        if len(self.pool.empty):
            groups = np.array(groups)
            groups[self.pool.empty] = self.pool.empty
        return groups

    @property
    def graph_folder(self) -> Path:
        """Where the neighbours stand while they are being found."""
        return self.folder / "graph"

    @property
    def is_ragged(self) -> bool:
        """Whether items of this task have more rows than one, or fewer."""
        return self.task.rows.offsets([]) is not None

    def offsets(self, pool: Pool) -> ArrayFile:
        """Where the rows of each item of the pool, or of the test set, begin; see `is_ragged`."""
        return self._array("test-offsets.npy" if pool is self.test else "offsets.npy")

    def row_layout(self, pool: Pool) -> RowLayout:
        """Say how what is said of the items of the pool, or of the test set, lies in an array."""
        offsets = None
        if self.is_ragged:
            offsets = self.required(self.offsets(pool), "propose").open()
        return RowLayout(len(pool), self.task.rows.n_columns, offsets)

    def rows(self, file: ArrayFile, pool: Pool | None = None) -> Rows:
        """Read what is said of all items of the pool, or of the test set; memory-mapped.

        Raises:
            WorkspaceError: If it is not there yet, or no longer, or items were appended since.
        """
        values = self.required(file, "propose").open()
        return Rows(values, self.row_layout(self.pool if pool is None else pool).offsets)

    @property
    def fused(self) -> ArrayFile:
        """The fused proposal."""
        return self._array("fused.npy")

    def _array(self, name: str) -> ArrayFile:
        return ArrayFile(self.folder / name, command_line("propose", self.folder))

    @property
    def answers_folder(self) -> Path:
        """Where answers of proposers are kept that cost something, or came in a file."""
        return self.folder / "answers"

    def proposal(self, name: str) -> ArrayFile:
        """The proposal of one proposer."""
        return self._array(f"{PROPOSALS}/{name}.npy")

    @property
    def student_proposal(self) -> ArrayFile | None:
        """What the student says; None where none proposed, or one that read other embeddings."""
        file = self.proposal("student")
        made = file.maker()
        same = made is not None and made.get("embeddings") == self.embeddings.made_of()
        return file if same else None

    def test_proposal(self, name: str) -> ArrayFile:
        """What one proposer says of the test set."""
        return self._array(f"test-proposals/{name}.npy")

    def proposal_summary(self, name: str) -> Path:
        """Where it stands what one proposer reports about its work."""
        return self.folder / PROPOSALS / f"{name}.summary.json"

    def student_folder(self, cycle: int) -> Path:
        """Where the student of a cycle is saved."""
        return self.folder / "students" / f"cycle-{cycle:04d}"

    def saved_student(self, cycle: int) -> Path:
        """Where the student of a cycle is saved, and still there.

        Raises:
            WorkspaceError: If it is gone or damaged.
        """
        folder = self.student_folder(cycle)
        gone = None if folder.is_dir() else f"{folder} is gone"
        fault = gone or seal.find_fault(folder)
        if fault is not None:
            raise WorkspaceError(
                f"The student of cycle {cycle} has changed since it was saved: {fault}; train it"
                f" again with `{command_line('train', self.folder)}`."
            )
        return folder

    def has_student(self, cycle: int) -> bool:
        """Tell whether the student of a cycle is still there, as it was saved."""
        folder = self.student_folder(cycle)
        return folder.is_dir() and seal.find_fault(folder) is None

    @property
    def trusted(self) -> tuple[str, ...]:
        """The code that its configuration names, which a student of it may name too."""
        config = self.config
        named = (config.embedder, config.student, config.medium, config.task)
        return tuple(section.kind for section in named)

    @property
    def ledger(self) -> Ledger:
        """The single files that were written for it elsewhere."""
        return Ledger(self.folder / LEDGER)

    @property
    def is_proposed(self) -> bool:
        """Whether there is a proposal for every item."""
        return self.fused.maker() is not None and not self._outgrew(self.fused)

    def required(self, file: ArrayFile, command: str) -> ArrayFile:
        """Return `file`, or say which command makes it.

        Raises:
            WorkspaceError: If it is not there yet, or no longer, or items were appended since.
        """
        what = "proposals" if file == self.fused else file.path.stem
        line = command_line(command, self.folder)
        fault = file.find_fault()
        if fault is not None:
            raise WorkspaceError(f"{fault}; run `{line}`, which makes it again.")
        if file.maker() is None:
            raise WorkspaceError(f"{self.folder} has no {what} yet; run `{line}`.")
        if self._outgrew(file):
            raise WorkspaceError(
                f"Items were appended to {self.folder}, and have no {what} yet; run `{line}`."
            )
        return file

    def _outgrew(self, file: ArrayFile) -> bool:
        """Tell whether a finished array is that of the pool before items were appended.

        Of a damaged one that is not known, and whoever opens it is told so.
        """
        earlier = [each.items for each in self.pool.summary.earlier]
        of_test = self.test_embeddings, self.test_proposal(file.path.stem)
        if not earlier or file in of_test or file.find_fault() is not None:
            return False
        length = len(file.open())
        if self.is_ragged and (file == self.fused or file.path.parent.name == PROPOSALS):
            offsets = self.offsets(self.pool).open()
            return length in [offsets[items] for items in earlier if items < len(offsets)]
        return length in earlier or (length - 1 in earlier and file == self.offsets(self.pool))
