"""How many threads work on a problem."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import TypeVar

import faiss
import numpy as np
from threadpoolctl import ThreadpoolController

from hilt.selectors.arithmetic.rows import unit_rows
from hilt.types import Floats, Integers

BLOCK = 4096  # rows that are float32 at one time in every thread

Task = TypeVar("Task")
Result = TypeVar("Result")


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep FAISS and numpy's BLAS to one thread, for problems that are over in milliseconds.

    Waiting for a second thread takes 10 to 100 times as long as such work itself where other
    programs keep the machine busy. And sums are always the same, and with them the picks.
    """
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        with _libraries().limit(limits=1):
            yield
    finally:
        faiss.omp_set_num_threads(threads)


def in_threads(function: Callable[[Task], Result], tasks: Iterable[Task]) -> list[Result]:
    """Do pieces of work that do not depend on each other, one in each of FAISS's threads.

    Every piece is done by one thread alone: so results are the same for any number of them, and
    none waits for another within a matrix product.

    Returns:
        What `function` gives for each task, in their order.
    """
    threads = faiss.omp_get_max_threads()
    with (
        one_thread(),
        ThreadPoolExecutor(threads, initializer=faiss.omp_set_num_threads, initargs=(1,)) as pool,
    ):
        return list(pool.map(function, tasks))


def over_rows(
    embeddings: Floats, indices: Integers, function: Callable[[Floats], Result]
) -> list[Result]:
    """Go through rows block by block, several blocks at one time.

    Args:
        embeddings: Shape (n_items, d), float16 or float32; may be memory-mapped.
        indices: Shape (m,), which rows.
        function: Takes some of them as `unit_rows` gives them.

    Returns:
        What `function` gives for each block, in their order; of no rows, for an empty block.

    Raises:
        DataError: If one of these rows holds NaN or infinity.
    """
    blocks = [indices[start : start + BLOCK] for start in range(0, len(indices) or 1, BLOCK)]
    return in_threads(lambda block: function(unit_rows(embeddings, block)), blocks)


@cache
def _libraries() -> ThreadpoolController:
    np.ones((1, 1)) @ np.ones((1, 1))  # its BLAS must be there when libraries are listed
    return ThreadpoolController()  # looks through all that is loaded, which takes a millisecond
