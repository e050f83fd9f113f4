"""A proposer that gives nearly all of its guesses to one label, and so says nothing.

It happens where the encoder cannot read the texts or the descriptions: all of them look alike to
it, and chance or the order of the labels decides. A pool may be that uneven itself, so labels that
people gave blind speak for the proposer where there are some.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hilt.blocks import blocks
from hilt.figures import whole_percent
from hilt.files import read_object, write_json
from hilt.intervals import wilson
from hilt.pipeline.proposing.members import Member
from hilt.pipeline.proposing.panel import Panel
from hilt.pipeline.workspace.arrays import fingerprint
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.labels import ItemLabel
from hilt.types import Label
from hilt.values import count_labels

MIN_SHARE = 0.9  # of the guesses, for one label of three or more
MIN_SHARE_OF_TWO = 0.98  # two labels are often uneven: spam, faults, complaints
MIN_GUESSES = 20
MIN_ANSWERED = 0.9  # of what it is asked; one that abstains more speaks where it knows something
MIN_BLIND = 10  # labels that people gave blind, before they can speak for it


@dataclass(frozen=True, slots=True)
class OneSided:
    """A proposer with the label to which it gives nearly all of its guesses.

    Attributes:
        share: Of its guesses, those for this label, in (0, 1].
        guesses: How many it made.
    """

    proposer: str
    label: str
    share: float
    guesses: int

    def __str__(self) -> str:
        return (
            f"{self.proposer} proposes {self.label!r} for {whole_percent(self.share)} of"
            f" {self.guesses:,} items. Unless nearly all of them have this label, it cannot"
            " distinguish the labels. Describe each label in a sentence, in the language of"
            " the texts; use an encoder for that language (`embedder.model`, such as"
            " sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2); or add another"
            " proposer (docs/proposers)."
        )


def count_guesses(panel: Panel) -> None:
    """Count the likeliest labels of every proposer, unless that is done; see `find_one_sided`."""
    files = panel.files
    path = _path(files)
    made_of = fingerprint(panel.makers)
    if _read(path).get("made_of") == made_of:
        return
    math, empty = files.task.rows, files.pool.empty
    names = math.strata_names
    counts = np.zeros((len(panel.members), len(names)), dtype=np.int64)
    for block in blocks(len(files.pool)):
        with_text = np.setdiff1d(np.arange(block.start, block.stop), empty)
        for place, rows in enumerate(panel.rows(with_text)):
            answered = rows.take(np.flatnonzero(rows.answered))
            counts[place] += np.bincount(math.strata(answered), minlength=len(names))
    guesses = {
        member.name: {
            "asked": _n_asked(panel, member),
            "labels": dict(zip(names, row.tolist(), strict=True)),
        }
        for member, row in zip(panel.members, counts, strict=True)
        if not member.learns  # it repeats what people said
    }
    write_json(path, {"made_of": made_of, "proposers": guesses})


def find_one_sided(files: WorkspaceFiles, labels: Iterable[ItemLabel]) -> tuple[OneSided, ...]:
    """List the proposers that give nearly all of their guesses to one label.

    Args:
        files: Whose; what `count_guesses` wrote is read, nothing else.
        labels: What was decided; the labels of audit items say how uneven the pool is.
    """
    blind = count_labels(each.value or () for each in labels if each.audit)
    proposers: dict[str, Any] = _read(_path(files)).get("proposers", {})
    found = (_judge(name, told["labels"], told["asked"], blind) for name, told in proposers.items())
    return tuple(each for each in found if each is not None)


def _judge(
    name: str, counts: Mapping[str, int], asked: int, blind: Mapping[str, int]
) -> OneSided | None:
    """Say to which label a proposer leans beyond reason, or None.

    Args:
        name: Its name.
        counts: Its guesses by label.
        asked: Items that it was asked about.
        blind: Labels that people gave blind, by label.
    """
    guesses = sum(counts.values())
    if guesses < max(MIN_GUESSES, MIN_ANSWERED * asked):
        return None
    label = max(counts, key=lambda each: counts[each])
    share = counts[label] / guesses
    if share < (MIN_SHARE if len(counts) > 2 else MIN_SHARE_OF_TWO):
        return None
    total, same = sum(blind.values()), blind.get(label, 0)
    if total >= MIN_BLIND and wilson(same, total)[1] >= share:
        return None
    return OneSided(name, label, round(share, 4), guesses)


def undescribed(labels: Sequence[Label]) -> tuple[str, ...]:
    """List the labels of which the description says no more than the name."""

    def words(text: str) -> list[str]:
        return text.casefold().replace("_", " ").replace("-", " ").split()

    return tuple(each.name for each in labels if words(each.description) == words(each.name))


def _n_asked(panel: Panel, member: Member) -> int:
    asked, pool = panel.asked(member), panel.files.pool
    return len(np.setdiff1d(np.arange(len(pool)) if asked is None else asked, pool.empty))


def _path(files: WorkspaceFiles) -> Path:
    return files.folder / "guesses.json"


def _read(path: Path) -> dict[str, Any]:
    """Read what `count_guesses` wrote; nothing where the file is damaged."""
    found = read_object(path) or {}
    proposers = found.get("proposers")
    whole = isinstance(proposers, dict) and all(map(_is_count, proposers.values()))
    return found if whole else {}


def _is_count(told: object) -> bool:
    if not isinstance(told, dict) or not isinstance(told.get("labels"), dict):
        return False
    return all(isinstance(number, int) for number in (told.get("asked"), *told["labels"].values()))
