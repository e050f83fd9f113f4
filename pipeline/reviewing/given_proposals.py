"""Proposals that come in a file: stored as a table, and from then on one proposer more."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from hilt.blocks import blocks
from hilt.command_line import command_line
from hilt.errors import ConfigError, DataError
from hilt.pipeline.proposing.members import GIVEN, given_folder
from hilt.pipeline.reviewing.answer_files import with_names_of_pool
from hilt.pipeline.reviewing.recording import Source, refuse
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.matching import MATCHES, Matching
from hilt.pipeline.workspace.tables import BatchItemRow
from hilt.pipeline.workspace.workspace import Workspace
from hilt.proposers.given import SCHEMA, Given
from hilt.reading.opening import PACKED_ENDINGS
from hilt.reading.options import Options
from hilt.reading.table import ENDINGS, Table, open_table
from hilt.review.answers.base import form_of
from hilt.review.base import Rejection
from hilt.review.formats.answer_tables import lines_of
from hilt.review.formats.item_records import fields_of
from hilt.review.formats.proposal_lines import Proposed, is_from_people, read_proposed
from hilt.temporaries import temporary_name

MAX_NAME_LENGTH = 60
AT_ONCE = 200_000  # lines whose items are looked for together
NOTHING = -1
RELEASED = "dataset.parquet"  # in the folder of a release


@dataclass(frozen=True, slots=True)
class GivenProposals:
    """What became of a file of proposals.

    Attributes:
        proposer: What they are called in tables.
        proposals: Items that have one.
        from_people: Rows whose label people gave, which are left out.
        unlabelled: Rows without a label.
        rejected: What does not fit, with its line.
        table: Where they are stored; without this file there is no such proposer.
        replaced: Items that had one of an earlier file of the same name; None if there was none.
    """

    proposer: str
    proposals: int
    from_people: int
    unlabelled: int
    rejected: tuple[Rejection, ...]
    table: Path
    replaced: int | None = None


def import_proposals(
    workspace: Workspace,
    file: Path | str,
    *,
    partial: bool = False,
    match: str = "auto",
    encoding: str | None = None,
    delimiter: str | None = None,
    quoting: str = "auto",
) -> GivenProposals:
    """Store the labels of a machine, which `propose` then uses as one more proposer.

    Another file of the same name replaces it. The configuration does not change.

    Args:
        workspace: Whose items these are about.
        file: A table with `id` or `text`, `label`, and perhaps `probability`: predictions, or a
            release or its folder, of which the labels that people gave are left out.
        partial: Store the valid lines even if others are rejected.
        match: `text` finds items by their texts; `auto` only if there is no id.
        encoding: Encoding of the file; default: from its byte order mark, else UTF-8.
        delimiter: The character between fields; default: detected.
        quoting: What `"` means: `fields` (it encloses them), `none` (an ordinary character) or
            `auto`.

    Raises:
        ConfigError: If the answers to the task are not one label each.
        DataError: If the file cannot be read or has nothing to propose, or a line does not fit and
            `partial` is not set; then nothing is stored.
    """
    if workspace.task.layout not in Given.tasks:
        raise ConfigError(
            "Files of proposals serve tasks with one label an item, but the task is"
            f" {workspace.task.name!r}; use a proposer of your own."
        )
    path = Path(file)
    name = _name(path)
    if (path / RELEASED).is_file():
        path /= RELEASED
    if match not in MATCHES:
        raise ConfigError(f"`match` is {match!r}. Allowed: {', '.join(MATCHES)}.")
    options = Options.checked(encoding=encoding, delimiter=delimiter, quoting=quoting)
    options = with_names_of_pool(workspace.config, options)
    table = open_table(path, replace(options, wanted=fields_of(form_of(workspace.task))))
    for warning in table.warnings:
        workspace.progress.note(warning)
    with workspace.locked():
        gathered = _Gathered(workspace, workspace.database.batch_items(), match)
        gathered.read(path, table, options)
        count = int((gathered.positions != NOTHING).sum())
        refuse(Source(path, partial), gathered.rejected, count)
        if not count:
            raise DataError(
                f"{path} has no label of a machine for any item of the pool; import the labels of"
                f" people with `{command_line('import', workspace.folder, path)}`."
            )
        stored = given_folder(workspace) / f"{name}.parquet"
        replaced = _count(stored)
        _write(workspace, gathered, stored)
    return GivenProposals(
        proposer=GIVEN + stored.stem,
        proposals=count,
        from_people=gathered.from_people,
        unlabelled=gathered.unlabelled,
        rejected=tuple(gathered.rejected),
        table=stored,
        replaced=replaced,
    )


class _Gathered:
    """What a file proposes, item by item.

    Attributes:
        positions: Shape (n_items,), the positions of labels, -1 where nothing is proposed.
        probabilities: Shape (n_items,), those of these labels.
    """

    def __init__(self, files: WorkspaceFiles, shown: Sequence[BatchItemRow], match: str) -> None:
        self._pool, self._shown, self._match = files.pool, shown, match
        self._labels, self._form = files.config.label_names, form_of(files.task)
        size = len(files.pool)
        self.positions = np.full(size, NOTHING, dtype=np.int32)
        self.probabilities = np.zeros(size, dtype=np.float32)
        self.rejected: list[Rejection] = []
        self.from_people = self.unlabelled = 0
        self._unit = "line"

    def read(self, path: Path, table: Table, options: Options) -> None:
        """Read all of the file."""
        proposed = self._proposed(path, table, options)
        while some := list(islice(proposed, AT_ONCE)):
            self._find(some)
        self.rejected.sort(key=lambda rejection: rejection.line)

    def _proposed(self, path: Path, table: Table, options: Options) -> Iterator[Proposed]:
        for line in lines_of(path, table, self._form, options.synonyms):
            self._unit = line.unit
            if is_from_people(line):
                self.from_people += 1
                continue
            read = read_proposed(line, self._form)
            if isinstance(read, Proposed):
                yield read
            elif read is None:
                self.unlabelled += 1
            else:
                self.rejected.append(read)

    def _find(self, some: Sequence[Proposed]) -> None:
        lines = [each.line for each in some]
        matching = Matching(self._pool, self._shown, lines, self._match)
        place = {label: position for position, label in enumerate(self._labels)}
        for each in some:
            found, said = matching.find(each.line), each.line.decision
            if isinstance(found, str):
                self.rejected.append(Rejection(said.line or 0, found, self._unit))
                continue
            position, before = place[said.value[0].label], self.positions[found.index]
            if before not in (NOTHING, position):
                earlier, here = self._labels[before], self._labels[position]
                reason = (
                    f"item {found.decision.item_id!r} has different labels: {earlier!r} on an"
                    f" earlier {self._unit}, {here!r} here. Keep one of them."
                )
                self.rejected.append(Rejection(said.line or 0, reason, self._unit))
                continue
            self.positions[found.index] = position
            self.probabilities[found.index] = max(each.probability, 1 / len(self._labels))


def _write(files: WorkspaceFiles, gathered: _Gathered, file: Path) -> None:
    """Write the table, in the order of the pool."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(temporary_name())
    labels = pa.array(files.config.label_names)
    try:
        with pa.parquet.ParquetWriter(temporary, SCHEMA) as writer:
            for block in blocks(len(files.pool)):
                indices = block.start + np.flatnonzero(gathered.positions[block] != NOTHING)
                chosen = pa.array(gathered.positions[indices], pa.int32())
                columns = [
                    pa.array(files.pool.ids(indices), pa.string()),
                    pa.DictionaryArray.from_arrays(chosen, labels),
                    pa.array(gathered.probabilities[indices]),
                ]
                writer.write_table(pa.Table.from_arrays(columns, schema=SCHEMA))
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


def _count(file: Path) -> int | None:
    """Count the proposals in a table; None if there is none, or none that can be read."""
    try:
        return int(pa.parquet.read_metadata(file).num_rows)
    except (OSError, pa.ArrowException):
        return None


def _name(path: Path) -> str:
    """Name the table after the file, in letters that a proposer's name may have.

    >>> _name(Path("predictions v1.2.csv.gz"))
    'predictions-v1.2'
    """
    name = path.absolute().name
    for endings in (PACKED_ENDINGS, ENDINGS):
        ending = Path(name).suffix
        name = name.removesuffix(ending) if ending.casefold() in endings else name
    return re.sub(r"[^\w.-]+", "-", name)[:MAX_NAME_LENGTH].strip("-.") or "file"
