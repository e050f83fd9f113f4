"""The nearest neighbours of every item, found once for an embedding file and kept.

The pool is partitioned by k-means several times, and each partition is searched list by list;
finished lists survive a kill. A list's items lie all over the pool, so
what is found is written in the order of the lists first, together with the best of the cut before,
and brought into the order of the pool at the end.

Of items with the same text only the first takes part, and the others have its neighbours: else the
copies of a text would know each other and nothing else.
"""

from __future__ import annotations

import shutil
from functools import partial

import numpy as np

from hilt.pipeline.workspace.array_making import is_made, make_array, one_by_one
from hilt.pipeline.workspace.arrays import Array, ArrayFile, Maker
from hilt.pipeline.workspace.files import WorkspaceFiles
from hilt.pipeline.workspace.random_streams import Stream, seedless_generator
from hilt.selectors.arithmetic.neighbours import (
    Cut,
    arrange_cuts,
    count_cuts,
    count_lists,
    list_centres,
    merge_neighbours,
    nearest_centres,
    search_list,
)
from hilt.types import Floats, Integers

NEIGHBOURS = 20
EDGE = np.dtype([("neighbour", np.int32), ("cosine", np.float16)])
POOL_ROWS = 65536  # that are written at once where nothing takes long


def make_graph(files: WorkspaceFiles) -> bool:
    """Find the neighbours of every item, unless that was done for the same embeddings.

    Returns:
        Whether anything was made.

    Raises:
        DataError: If an embedding holds NaN or infinity.
    """
    arrays = {"neighbour": files.neighbours, "cosine": files.cosines}
    maker = {"embeddings": files.embeddings.made_of(), "neighbours": NEIGHBOURS}
    if all([is_made(file, maker, files.progress) for file in arrays.values()]):
        return False
    embeddings, first = files.embeddings.open(), files.pool.groups
    cuts, recall = _cut_into_lists(files, maker, embeddings, np.unique(first))
    found = _search_lists(files, maker, embeddings, cuts)
    for field, file in arrays.items():
        make_array(
            file,
            (len(first), NEIGHBOURS),
            maker,
            one_by_one(partial(_in_pool_order, found, field, first)),
            description=f"Sorting {file.path.stem}",
            progress=files.progress,
            chunk_rows=POOL_ROWS,
            dtype=EDGE[field],
            measured={"recall": round(recall, 4)},
        )
    shutil.rmtree(files.graph_folder)
    return True


class FoundNeighbours:
    """What the search of a cut found, to be read by the items' indices.

    Args:
        edges: Shape (n_texts, NEIGHBOURS), of `EDGE`, in the order of the lists.
        order: Shape (n_texts,), whose they are.
    """

    def __init__(self, edges: Array, order: Integers) -> None:
        self._edges = edges
        self._places = np.empty(order.max() + 1, dtype=np.int64)
        self._places[order] = np.arange(len(order))

    def of(self, indices: Integers) -> Array:
        """Read the edges of some items."""
        return self._edges[self._places[indices]]


def _cut_into_lists(
    files: WorkspaceFiles, maker: Maker, embeddings: Floats, indices: Integers
) -> tuple[list[Cut], float]:
    """Do what `cut_into_lists` does, keeping what was done before a kill."""
    n_cuts, n_lists = count_cuts(len(indices)), count_lists(len(indices))
    centre_file = ArrayFile(files.graph_folder / "centres.npy")
    owner_file = ArrayFile(files.graph_folder / "owners.npy")
    *streams, last = seedless_generator(Stream.GRAPH).spawn(n_cuts + 1)
    make_array(
        centre_file,
        (n_cuts, n_lists, embeddings.shape[1]),
        maker,
        one_by_one(lambda start, _stop: list_centres(embeddings, indices, streams[start])[None]),
        description="Finding centres",
        progress=files.progress,
        chunk_rows=1,
        dtype=np.float32,
    )
    centres = np.asarray(centre_file.open())
    make_array(
        owner_file,
        (len(indices), n_cuts),
        maker,
        one_by_one(lambda start, stop: nearest_centres(embeddings, indices[start:stop], centres)),
        description="Cutting into lists",
        progress=files.progress,
        chunk_rows=POOL_ROWS,
        dtype=np.int32,
    )
    return arrange_cuts(embeddings, indices, np.asarray(owner_file.open()), centres, last)


def _search_lists(
    files: WorkspaceFiles, maker: Maker, embeddings: Floats, cuts: list[Cut]
) -> FoundNeighbours:
    """Find the neighbours of every text in one cut after the other."""
    found: FoundNeighbours | None = None
    for number, cut in enumerate(cuts, start=1):
        file = ArrayFile(files.graph_folder / f"found-{number}.npy")
        make_array(
            file,
            (len(cut.order), NEIGHBOURS),
            maker,
            one_by_one(partial(_edges_of_list, embeddings, cut, found)),
            description=f"Finding neighbours, {number} of {len(cuts)}",
            progress=files.progress,
            chunk_rows=np.unique(cut.starts),
            dtype=EDGE,
        )
        found = FoundNeighbours(file.open(), cut.order)
    assert found is not None
    return found


def _edges_of_list(
    embeddings: Floats, cut: Cut, before: FoundNeighbours | None, start: int, stop: int
) -> Array:
    """Search the list that stands from start to stop, and add what the cuts before found."""
    number = int(np.searchsorted(cut.starts, start, side="right")) - 1  # empty ones before it
    members, neighbours, cosines = search_list(embeddings, cut, number, NEIGHBOURS)
    cosines = cosines.astype(EDGE["cosine"])
    if before is not None:
        known = before.of(members)
        neighbours, cosines = merge_neighbours(
            known["neighbour"], known["cosine"], neighbours, cosines
        )
    edges = np.empty((stop - start, NEIGHBOURS), dtype=EDGE)
    edges["neighbour"], edges["cosine"] = neighbours, cosines
    return edges


def _in_pool_order(
    found: FoundNeighbours, field: str, first: Integers, start: int, stop: int
) -> Array:
    return found.of(first[start:stop])[field]
