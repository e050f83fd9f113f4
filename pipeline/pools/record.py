"""What is written down about a pool: what was found in it, and what it was read from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from hilt.contents import Content
from hilt.files import write_json
from hilt.reading.options import HUB

RECORD = "pool.json"


@dataclass(frozen=True, slots=True)
class Earlier:
    """A pool as it was before items were appended: the first `items` of it.

    Attributes:
        items: How many it had.
        fingerprint: SHA-256 over all its ids, texts and known labels, in order.
    """

    items: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as it was when the pool was read from it.

    Attributes:
        path: Where it was.
        size: Its bytes; of a folder, those of all its files.
        modified: When it was last written to, in nanoseconds; of a folder, the latest.
    """

    path: str
    size: int
    modified: int


@dataclass(frozen=True, slots=True)
class PoolSummary:
    """What was found while the pool was made.

    Attributes:
        items: How many items there are.
        empty_texts: How many texts are empty or only white space; they keep their place, and
            nobody is asked about them.
        exact_duplicates: How many items have the same normalised text as one before them, those
            without a text left out.
        fingerprint: SHA-256 over all ids, texts and known labels, in order.
        earlier: The pool before each time that items were appended, oldest first.
        source: What was read last; None for a dataset on the hub, and in an older workspace.
        files: What the files with the items came to, by name; empty in an older workspace.
    """

    items: int
    empty_texts: int
    exact_duplicates: int
    fingerprint: str
    earlier: tuple[Earlier, ...] = ()
    source: SourceFile | None = None
    files: Mapping[str, Content] = field(default_factory=dict, hash=False)


def read_record(folder: Path) -> PoolSummary:
    """Read what stands beside a pool.

    Raises:
        OSError: If it is not there.
        ValueError: If it is damaged.
        TypeError, AttributeError: If it is something else.
    """
    record = json.loads((folder / RECORD).read_text("utf-8"))
    earlier = tuple(Earlier(**each) for each in record.pop("earlier", ()))
    source = record.pop("source", None)
    files = {name: Content(**content) for name, content in record.pop("files", {}).items()}
    return PoolSummary(
        **record,
        earlier=earlier,
        source=None if source is None else SourceFile(**source),
        files=files,
    )


def write_record(folder: Path, summary: PoolSummary) -> None:
    """Write it, at once, with what the files of the items hold now."""
    files = {path.name: Content.of(path) for path in item_files(folder, len(summary.earlier))}
    write_json(folder / RECORD, asdict(replace(summary, files=files)))


def item_files(folder: Path, appended: int) -> list[Path]:
    """List the Arrow files that hold the items of a pool, in their order.

    Args:
        folder: Of the pool.
        appended: How often items were appended to it.
    """
    parts = [part_path(folder, number) for number in range(2, appended + 2)]
    return [*sorted(folder.glob("data-*.arrow")), *parts]


def source_file(path: str) -> SourceFile | None:
    """Look at the file, or the folder, that a pool is read from; None for a dataset on the hub.

    Raises:
        OSError: If it is not there, or may not be looked at.
    """
    if path.startswith(HUB):
        return None
    place = Path(path)
    files = [file for file in place.rglob("*") if file.is_file()] if place.is_dir() else [place]
    stats = [file.stat() for file in files]
    size, modified = sum(s.st_size for s in stats), max((s.st_mtime_ns for s in stats), default=0)
    return SourceFile(path, size, modified)


def part_path(folder: Path, number: int) -> Path:
    """Where the items stand that were appended to a pool: part 2 those of the first time."""
    return folder / f"part-{number:04d}.arrow"
