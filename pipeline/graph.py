"""The nearest neighbours of every item, found once for an embedding file and kept.

The pool is cut into lists, and the lists are searched one by one; what is done stays done when the
process is killed. A list's items lie all over the pool, so what is found is written in the order
of the lists first, and brought into the order of the pool at the end.

Of items with the same text only the first takes part, and the others have its neighbours: else the
copies of a text would know each other and nothing else.
"""

from __future__ import annotations

import shutil
from functools import partial

import numpy as np

from hilt.pipeline.arrays import Array, ArrayFile, Maker
from hilt.pipeline.runner import make_array
from hilt.pipeline.workspace import Workspace
from hilt.selectors.neighbours import (
    Lists,
    arrange_lists,
    count_lists,
    list_centres,
    nearest_centres,
    search_list,
)
from hilt.types import Floats, Integers

NEIGHBOURS = 20
# The lists are cut by chance from this stream whatever the configuration's seed, for the graph
# belongs to the embeddings.
GRAPH_STREAM = 8
EDGE = np.dtype([("neighbour", np.int32), ("cosine", np.float16)])
POOL_ROWS = 65536  # that are written at once where nothing takes long


def make_graph(workspace: Workspace) -> bool:
    """Find the neighbours of every item, unless that was done for the same embeddings.

    Returns:
        Whether anything was made.

    Raises:
        DataError: If an embedding holds NaN or infinity.
    """
    files = {"neighbour": workspace.neighbours, "cosine": workspace.cosines}
    maker = {"embeddings": workspace.embeddings.maker(), "neighbours": NEIGHBOURS}
    if all(file.is_current(maker) for file in files.values()):
        return False
    embeddings, first = workspace.embeddings.open(), workspace.pool.groups
    lists = _cut_into_lists(workspace, maker, embeddings, np.unique(first))
    edges = _search_lists(workspace, maker, embeddings, lists)
    place = np.empty(len(first), dtype=np.int64)
    place[lists.order] = np.arange(len(lists.order))
    place = place[first]
    for field, file in files.items():
        make_array(
            file,
            (len(first), NEIGHBOURS),
            maker,
            partial(_in_pool_order, edges[field], place),
            description=f"Sorting {file.path.stem}",
            progress=workspace.progress,
            chunk_rows=POOL_ROWS,
            dtype=EDGE[field],
            measured={"recall": round(lists.recall, 4)},
        )
    shutil.rmtree(workspace.graph_folder)
    return True


def _cut_into_lists(
    workspace: Workspace, maker: Maker, embeddings: Floats, indices: Integers
) -> Lists:
    """Do what `cut_into_lists` does, keeping what was done before a kill."""
    n_lists = count_lists(len(indices))
    centre_file = ArrayFile(workspace.graph_folder / "centres.npy")
    owner_file = ArrayFile(workspace.graph_folder / "owners.npy")
    first, second = np.random.default_rng(GRAPH_STREAM).spawn(2)
    make_array(
        centre_file,
        (n_lists, embeddings.shape[1]),
        maker,
        lambda _start, _stop: list_centres(embeddings, indices, first),
        description="Finding centres",
        progress=workspace.progress,
        chunk_rows=n_lists,
        dtype=np.float32,
    )
    centres = np.asarray(centre_file.open())
    make_array(
        owner_file,
        indices.shape,
        maker,
        lambda start, stop: nearest_centres(embeddings, indices[start:stop], centres),
        description="Cutting into lists",
        progress=workspace.progress,
        chunk_rows=POOL_ROWS,
        dtype=np.int32,
    )
    owner = np.asarray(owner_file.open())
    return arrange_lists(embeddings, indices, owner, centres, second)


def _search_lists(workspace: Workspace, maker: Maker, embeddings: Floats, lists: Lists) -> Array:
    """Find the neighbours of every text: shape (n_texts, NEIGHBOURS), in the order of the lists."""
    found = ArrayFile(workspace.graph_folder / "found.npy")
    make_array(
        found,
        (len(lists.order), NEIGHBOURS),
        maker,
        partial(_edges_of_list, embeddings, lists),
        description="Finding neighbours",
        progress=workspace.progress,
        chunk_rows=np.unique(lists.starts),
        dtype=EDGE,
    )
    return found.open()


def _edges_of_list(embeddings: Floats, lists: Lists, start: int, stop: int) -> Array:
    """Search the list that stands from start to stop."""
    number = int(np.searchsorted(lists.starts, start, side="right")) - 1  # empty ones before it
    _, neighbours, cosines = search_list(embeddings, lists, number, NEIGHBOURS)
    edges = np.empty((stop - start, NEIGHBOURS), dtype=EDGE)
    edges["neighbour"], edges["cosine"] = neighbours, cosines
    return edges


def _in_pool_order(rows: Array, place: Integers, start: int, stop: int) -> Array:
    return rows[place[start:stop]]
