"""The work on each item, done by workers on a Ray cluster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from hilt.errors import RunnerError
from hilt.pipeline.runners.base import Chunk, Sink, Work
from hilt.pipeline.runners.ray_cluster import connect
from hilt.pipeline.runners.ray_pool import Pool, Staff
from hilt.pipeline.runners.ray_worker import Worker


class Ray:
    """Gives chunks to workers on a cluster, and hands over what they return in the same order.

    Chunks bring their items with them and rows come back to this process, so that nodes and this
    machine share no disk. What a lost worker had is given to others; when this process is lost, its
    workers end, and what was handed over before stays done.

    Args:
        address: `HOST:PORT` of a cluster, or `auto` for the one that this machine is a node of;
            None starts one on this machine, for as long as this process runs.
        workers: How many at most; None: as many as the cluster has room for.
        threads: Processor cores for each worker; None: as many threads as this process uses, so
            that nodes with the same processor come to the same bits.
        gpus: Graphics cards for each worker; a half lets two workers share one.
        retries: How often a chunk that was lost with its worker is given to another.
    """

    def __init__(
        self,
        address: str | None = None,
        workers: int | None = None,
        threads: int | None = None,
        gpus: float = 0.0,
        retries: int = 3,
    ) -> None:
        self.address = address
        self.workers = workers
        self.threads = threads
        self.gpus = gpus
        self.retries = retries

    def map(self, work: Work, chunks: Iterable[Chunk], sink: Sink) -> None:
        """Hand `sink` the rows of every chunk, in their order.

        Raises:
            HiltError: If the work does; the message names the node.
            MissingExtraError: If Ray is not installed.
            RunnerError: If the cluster cannot be used, or loses its workers again and again.
        """
        rest = iter(chunks)
        first = next(rest, None)
        if first is None:
            return
        import torch

        ray, threads = connect(self.address), self.threads or torch.get_num_threads()
        needed = {"CPU": float(threads), "GPU": self.gpus}
        size = self.workers or count_places(ray.nodes(), needed)
        options = {"num_cpus": threads, "num_gpus": self.gpus, "scheduling_strategy": "SPREAD"}
        hired = ray.remote(**options)(Worker)
        staff = Staff(
            lambda: hired.remote(threads), ray.put(work), work.identity(), size, self.retries
        )
        Pool(ray, staff).run(chain([first], rest), sink)


def count_places(nodes: Sequence[Mapping[str, Any]], needed: Mapping[str, float]) -> int:
    """Count for how many workers a cluster has room.

    Args:
        nodes: What Ray says of each.
        needed: Of each resource, how much a worker takes.

    Raises:
        RunnerError: If there is no room for one.
    """
    found = [node["Resources"] for node in nodes if node["Alive"]]
    places = sum(
        min(int(each.get(name, 0) / amount) for name, amount in needed.items() if amount)
        for each in found
    )
    if not places:
        most = {name: max(each.get(name, 0) for each in found) for name in needed}
        raise RunnerError(
            f"A worker takes {needed['CPU']:g} cores and {needed['GPU']:g} graphics cards, but no"
            f" node of the Ray cluster has more than {most['CPU']:g} and {most['GPU']:g}; lower"
            " runner.threads or runner.gpus. For a cluster that grows, set runner.workers."
        )
    return places
