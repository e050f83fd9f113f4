"""Labels that another program proposed: a table that `hilt import --as proposals` stored."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet

from hilt.errors import DataError
from hilt.proposers.base import Context
from hilt.types import Floats, Integers, Items

FOLDER = "given"  # of these tables, in the workspace's folder of answers
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("label", pa.dictionary(pa.int32(), pa.string())),
        ("probability", pa.float32()),
    ]
)


class Given:
    """Proposes what stands in a table, and abstains on items that do not.

    The label has the probability of its row, and the other labels share the rest.

    Args:
        context: The labels, and where answers are kept.
        table: The file's name in the folder `given` there, with the columns of `SCHEMA`.
    """

    tasks = ("single",)

    reads_embeddings = False

    def __init__(self, context: Context, table: str) -> None:
        assert context.cache is not None, "tables are kept where answers are"
        self._path = context.cache / FOLDER / table
        self._labels = [label.name for label in context.labels]

    @property
    def fingerprint(self) -> str:
        """The checksum of the table: with another one, what was proposed is not current."""
        with self._path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def propose(self, items: Items) -> Floats:
        """Look the items up.

        Returns:
            Shape (n, n_labels), float32; rows sum to 1, or are NaN where the table has no such id.
        """
        hashes, positions, probabilities = self._table
        rows = np.full((len(items), len(self._labels)), np.nan, dtype=np.float32)
        if not len(hashes):
            return rows
        wanted = _hashes(items.ids)
        places = np.minimum(np.searchsorted(hashes, wanted), len(hashes) - 1)
        found = np.flatnonzero(hashes[places] == wanted)
        places = places[found]
        others = max(1, len(self._labels) - 1)
        rows[found] = ((1 - probabilities[places]) / others)[:, None]
        rows[found, positions[places]] = probabilities[places]
        return rows

    @cached_property
    def _table(self) -> tuple[npt.NDArray[np.uint64], Integers, Floats]:
        """Read the table: hashes of ids, ascending, with the positions of labels and probabilities.

        Of an item that stands there twice it has both, and one of them is found.
        """
        try:
            table = pa.parquet.read_table(self._path, schema=SCHEMA)
        except (OSError, pa.ArrowException) as error:
            raise DataError(
                f"{self._path} cannot be read: {error}. Import the file of proposals again, or"
                " delete this one."
            ) from None
        hashes = _hashes(table.column("id").to_pylist())
        order = np.argsort(hashes, kind="stable")
        label = table.column("label").cast(pa.string())
        positions = pa.compute.index_in(label, pa.array(self._labels)).to_numpy()[order]
        return hashes[order], positions, table.column("probability").to_numpy()[order]


def _hashes(ids: Iterable[str]) -> npt.NDArray[np.uint64]:
    """Hash ids to 64 bits; two of ten million meet with a chance of 3 in a million."""
    joined = b"".join(hashlib.blake2b(each.encode(), digest_size=8).digest() for each in ids)
    return np.frombuffer(joined, dtype=np.uint64)
