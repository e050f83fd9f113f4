"""How many threads work on a problem."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import faiss
import numpy as np  # noqa: F401 - its BLAS must be loaded before the libraries are listed
from threadpoolctl import ThreadpoolController


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


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()  # looks through all that is loaded, which takes a millisecond
