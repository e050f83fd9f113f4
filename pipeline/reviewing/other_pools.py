"""What a file of all decisions cannot bring where the pool or the labels are others, and why."""

from __future__ import annotations

from hilt.command_line import command_line
from hilt.figures import counted
from hilt.pipeline.pools.appending import first_fingerprints
from hilt.pipeline.pools.pool import Pool
from hilt.pipeline.reviewing.decisions_file import Header
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.reading.names import label_listing


def what_differs(files: WorkspaceFiles, header: Header) -> str | None:
    """Say in a clause why the state cannot be the same here; None when it can.

    The order of the labels is of no account: all that is stored names them.
    """
    pool = files.pool
    if not pool.began_as(header.pool, header.pool_items):
        sizes = f"{header.pool_items:,} items, here {len(pool):,}"
        return f"The pool is a different one ({sizes})"
    here, there = files.config.label_names, header.labels
    only = {
        "only in the file": [name for name in there if name not in here],
        "only here": [name for name in here if name not in there],
    }
    told = "; ".join(f"{where}: {label_listing(names)}" for where, names in only.items() if names)
    return f"The labels are different ({told})" if told else None


def first_items(header: Header) -> int:
    """Say how many items the pool of the file began with."""
    return header.earlier[0][0] if header.earlier else header.pool_items


def grow_likewise(header: Header) -> str:
    """Name the way to a workspace whose pool grew as that of the file."""
    return (
        f"Make a workspace of the first {first_items(header):,} rows, add the later ones with"
        f" `{command_line('init', 'NEW', '--append')}`, and import the file there."
    )


def what_came(pool: Pool, header: Header, differs: str, *, answers: int, audit: int) -> str:
    """Say why labels given before came of a file, and what did not come.

    Args:
        pool: Where to.
        header: Of the file.
        differs: From `what_differs`.
        answers: How many answers came.
        audit: How many answers were part of the audit.
    """
    came = counted(answers, "answer")
    told = f"{differs}: imported {came} as labels given before{_left_behind(header, audit)}."
    if _grew_otherwise(pool, header):
        told += " Restoring the whole state needs a pool that grew in the same way. "
        told += grow_likewise(header)
    return told


def _left_behind(header: Header, audit: int) -> str:
    """Say in a clause what is not in labels given before."""
    left = [
        counted(number, one, more)
        for number, one, more in (
            (header.batches, "batch", "batches"),
            (audit, "answer's place in the audit", "answers' places in the audit"),
        )
        if number
    ]
    return f"; {' and '.join(left)} left out" if left else ""


def _grew_otherwise(pool: Pool, header: Header) -> bool:
    """Tell whether one of two pools that differ is the beginning of the other."""
    if (len(pool), pool.fingerprint) in header.earlier:
        return True
    return header.pool_items < len(pool) and header.pool in first_fingerprints(
        pool, header.pool_items
    )
