"""The proposers of a workspace other than the student, each with what made its arrays."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hilt.errors import ConfigError
from hilt.pipeline.configuration.proposer_kinds import CustomProposer, ProposerSection
from hilt.pipeline.pools.pool import Pool
from hilt.pipeline.workspace.arrays import ArrayFile, Maker, fingerprint
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.labels import ItemLabel
from hilt.proposers.base import Context, Embedder
from hilt.proposers.given import FOLDER
from hilt.proposers.guarded import GuardedProposer
from hilt.values import plain

RESERVED = ("student", "fused")
GIVEN = "given-"  # before the name of a file of proposals, so that it is no other proposer's
KIND = "hilt.proposers.given:Given"
LIMIT_DRAW = {"limit_draw": "id"}  # in makers; an older hilt drew by the size of the pool


@dataclass(frozen=True, slots=True)
class Member:
    """A proposer with its place in the workspace.

    Attributes:
        array: What it says of the pool.
        test_array: What it says of the test set; None when it is not asked about that, because it
            costs money or is limited to a part of the pool.
        maker: What would make that under the present configuration.
        made: What made the array on disk; None where there is none.
        grew: Whether that is what is wanted, but for items that were appended since.
        grown_from: What the maker was each time before items were appended, the newest first.
    """

    name: str
    section: ProposerSection
    proposer: GuardedProposer
    maker: Maker
    array: ArrayFile
    test_array: ArrayFile | None
    made: Maker | None = None
    grew: bool = False
    grown_from: tuple[Maker, ...] = ()

    @property
    def learns(self) -> bool:
        """Whether what it says depends on the labels."""
        return self.proposer.learns

    @property
    def is_outdated(self) -> bool:
        """Whether another configuration made what is on disk, whichever labels it knew."""
        if self.made is None or self.grew:
            return False
        return unlearnt(self.made) != unlearnt(self.maker)

    def as_on_disk(self) -> Member:
        """Give the member after its array was made."""
        return replace(self, made=self.array.made_of(), grew=False)


def make_members(
    files: WorkspaceFiles, embedder: Embedder, embeddings: Maker, labelled: Sequence[ItemLabel]
) -> list[Member]:
    """Build the proposers that the configuration names, and those that came in files.

    Args:
        files: Where their arrays are.
        embedder: What they compare with.
        embeddings: What makes the embeddings of the pool.
        labelled: What proposers that learn are taught.

    Raises:
        ConfigError: If two want one name.
    """
    context = Context(
        files.config.label_list, embedder, files.device, files.answers_folder, task=files.task
    )
    learnt = fingerprint([[each.index, plain(each.value)] for each in labelled])
    members: list[Member] = []
    for name, section in _named_sections(files):
        proposer = GuardedProposer(section.kind, name, context, section.arguments)
        before = [] if section.only == "all" else members
        earlier = [unlearnt(member.maker) for member in before]  # new labels alone ask nothing anew
        maker = {
            # As the array's file will say it, where a tuple is a list.
            "proposer": json.loads(json.dumps(section.model_dump(exclude={"name"}))),
            "labels": [[label.name, label.description] for label in context.labels],
            **_read_by(proposer, embeddings, files.config.embedder.description_prompt),
            **({"code": code} if (code := proposer.fingerprint) else {}),
            **({"earlier": fingerprint(earlier)} if earlier else {}),
            **({"learnt": learnt} if proposer.learns else {}),
        }
        members.append(_member(files, name, section, proposer, maker, earlier))
    return members


def _member(
    files: WorkspaceFiles,
    name: str,
    section: ProposerSection,
    proposer: GuardedProposer,
    maker: dict[str, Any],
    earlier: Sequence[Maker],
) -> Member:
    """Compare what would make a proposer's array with what made the one on disk.

    Args:
        files: Where the arrays are.
        name: Of the proposer.
        section: What the configuration says of it.
        proposer: Which it is.
        maker: What would make its array now.
        earlier: The makers of the proposers before it, of which its own has a hash.
    """
    array = files.proposal(name)
    made = array.made_of()
    if section.only == "all" and section.max_items is not None and not _agree(made, maker):
        maker = maker | LIMIT_DRAW  # what an older hilt drew, and is current, stays
    pools = _makers_before(files.pool, unlearnt(maker), earlier)
    grew = any(_agree(made and unlearnt(made), each) for each in pools)
    if made is not None and (grew or _agree(made, maker)):
        maker = _as_written(made, maker)
    skips_test = section.is_limited or proposer.is_priced or files.test is None
    return Member(
        name,
        section,
        proposer,
        maker,
        array,
        test_array=None if skips_test else files.test_proposal(name),
        made=made,
        grew=grew,
        grown_from=tuple(_makers_before(files.pool, maker, earlier)),
    )


def _makers_before(pool: Pool, maker: Maker, earlier: Sequence[Maker]) -> list[Maker]:
    """Say what a maker was before items were appended, the newest first."""
    makers = pool.earlier_makers(maker)
    if not earlier:
        return makers
    hashes = [fingerprint(each["earlier"]) for each in pool.earlier_makers({"earlier": earlier})]
    return [{**each, "earlier": one} for each, one in zip(makers, hashes, strict=True)]


def _read_by(proposer: GuardedProposer, embeddings: Maker, prompt: str | None) -> dict[str, Any]:
    """Say what a proposer reads beside the texts: the embeddings, or nothing of them."""
    if not proposer.reads_embeddings:
        return {"pool": embeddings["pool"]}
    return {"embeddings": embeddings, **({} if prompt is None else {"description_prompt": prompt})}


def unlearnt(maker: Maker) -> dict[str, Any]:
    """Take the labels that a proposer learnt out of its maker."""
    return {key: value for key, value in maker.items() if key != "learnt"}


def _agree(made: Maker | None, maker: Maker) -> bool:
    """Tell whether an array on disk is what a maker makes, however an older hilt wrote that."""
    return made is not None and bool(made == json.loads(json.dumps(_as_written(made, maker))))


def _as_written(made: Maker, maker: Maker) -> dict[str, Any]:
    """Write a maker as that of the array on disk is written, so that what rests on it stays.

    An older hilt named the embeddings for proposers that read none, too.
    """
    if "pool" not in maker or "embeddings" not in made:
        return dict(maker)
    others = {key: value for key, value in maker.items() if key != "pool"}
    return {**others, "embeddings": {**made["embeddings"], "pool": maker["pool"]}}


def given_folder(files: WorkspaceFiles) -> Path:
    """Say where the tables are of files of proposals that were imported."""
    return files.answers_folder / FOLDER


def proposer_names(files: WorkspaceFiles) -> list[str]:
    """Name the proposers of a workspace other than the student; none of them is loaded.

    Raises:
        ConfigError: If two want one name.
    """
    return [name for name, _ in _named_sections(files)]


def _named_sections(files: WorkspaceFiles) -> Iterator[tuple[str, ProposerSection]]:
    """List the proposers of the configuration, and those that stand for files, by their names."""
    names: list[str] = []
    tables = sorted(given_folder(files).glob("*.parquet"))
    given = (
        CustomProposer(kind=KIND, name=GIVEN + table.stem, settings={"table": table.name})
        for table in tables
    )
    for section in (*files.config.proposers, *given):
        names.append(_free_name(section, names))
        yield names[-1], section


def _free_name(section: ProposerSection, taken: Sequence[str]) -> str:
    """Name a proposer as it wants, or after its kind, with a number from the second on."""
    if section.name is not None:
        if section.name in (*taken, *RESERVED):
            raise ConfigError(
                f"The proposer name {section.name!r} is already used; rename one of them."
            )
        return section.name
    base = section.kind.rpartition(":")[2]
    number = 1 + sum(name.rpartition("-")[0] == base or name == base for name in taken)
    return base if number == 1 else f"{base}-{number}"
