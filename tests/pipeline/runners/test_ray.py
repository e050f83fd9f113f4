"""The work on each item on a Ray cluster: two nodes on this machine, one of which is lost."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import yaml

from hilt.errors import MissingExtraError, ModelError, RunnerError
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.proposing.work import EmbedWork
from hilt.pipeline.runners import ray_pool
from hilt.pipeline.runners.base import Chunk, Runner, Work
from hilt.pipeline.runners.local import Local
from hilt.pipeline.runners.ray_runner import Ray, count_places
from hilt.pipeline.workspace.init import init
from hilt.pipeline.workspace.workspace import Workspace
from hilt.proposers.guarded import make_embedder
from hilt.types import Floats, Items
from tests.tiny_encoder import WORDS, save_tiny_encoder

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="needs the extra `ray`"
)
SECURE = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "t" * 64, "RAY_USAGE_STATS_ENABLED": "0"}
N_ITEMS, CHUNK = 600, 20


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head with one core, which no test may lose."""
    before = {name: os.environ.get(name) for name in SECURE}
    os.environ.update(SECURE)
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    yield cluster
    ray.shutdown()
    cluster.shutdown()
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_tiny_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture
def embedding(encoder: str) -> EmbedWork:
    settings = {"model": encoder, "precision": "float32"}
    return EmbedWork(make_embedder("sentence_transformers", "cpu", settings))


def texts() -> list[str]:
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice(WORDS, rng.integers(1, 12))) for _ in range(N_ITEMS)]


def chunks() -> Iterator[Chunk]:
    every = texts()
    for start in range(0, N_ITEMS, CHUNK):
        part = every[start : start + CHUNK]
        yield Chunk(start, Items([str(start + place) for place in range(len(part))], part))


def mapped(
    runner: Runner, work: Work, after: Callable[[int], object] = lambda _start: None
) -> Floats:
    rows: list[Floats] = []

    def sink(start: int, part: Floats) -> None:
        assert start == sum(map(len, rows))
        rows.append(part)
        after(start)

    runner.map(work, chunks(), sink)
    return np.concatenate(rows)


@needs_ray
def test_a_node_that_is_lost_midway_costs_its_own_chunks_only(
    cluster: Any, embedding: EmbedWork
) -> None:
    node = cluster.add_node(num_cpus=1)
    lost: list[int] = []

    def lose(start: int) -> None:
        if start == 100:
            cluster.remove_node(node, allow_graceful=False)
            lost.append(start)

    made = mapped(Ray(cluster.address, threads=1), embedding, lose)

    assert lost == [100]
    assert made.tobytes() == mapped(Local(), embedding).tobytes()


@dataclass(frozen=True)
class Troubled:
    """Does nothing to a text but what is told."""

    name: ClassVar[str] = "Testing"
    trouble: str
    here: int = field(default_factory=os.getpid)

    def identity(self) -> Mapping[str, str]:
        other = self.trouble == "other weights" and os.getpid() != self.here
        return {"checksum": "b" if other else "a"}

    def open(self) -> Callable[[Items], Floats]:
        if self.trouble == "no model":
            raise ModelError("The encoder 'x' cannot be loaded.")
        return self.rows

    def rows(self, items: Items) -> Floats:
        if self.trouble == "own error":
            raise ZeroDivisionError("told to")
        if self.trouble == "end":
            os._exit(1)
        return np.zeros((len(items), 1))


@needs_ray
@pytest.mark.parametrize(
    ("trouble", "error", "says"),
    [
        ("other weights", RunnerError, "another model: its checksum is 'b' there, and 'a' here"),
        ("no model", ModelError, r"^On the node [^ ]+: The encoder 'x' cannot be loaded\.$"),
        ("own error", ZeroDivisionError, "told to"),
        ("end", RunnerError, "lost again and again"),
    ],
)
def test_trouble_on_a_node_ends_the_work_with_a_sentence(
    cluster: Any, trouble: str, error: type[Exception], says: str
) -> None:
    runner = Ray(cluster.address, threads=1, retries=1)

    with pytest.raises(error, match=says):
        mapped(runner, Troubled(trouble))


@needs_ray
def test_a_worker_for_which_no_node_has_room_is_refused(cluster: Any) -> None:
    with pytest.raises(RunnerError, match=r"takes 64 cores and 0 graphics cards, but no node"):
        mapped(Ray(cluster.address, threads=64), Troubled(""))


@needs_ray
def test_workers_that_never_start_are_not_waited_for_without_end(
    cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_pool, "PATIENCE_SECONDS", 1.0)

    with pytest.raises(RunnerError, match="No worker has started on the Ray cluster for 1 sec"):
        mapped(Ray(cluster.address, workers=1, threads=64), Troubled(""))


KILLED_MIDWAY = """
import os, signal, sys
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.workspace.arrays import PartialArray
from hilt.pipeline.workspace.workspace import open_workspace

write = PartialArray.write

def write_and_die(self, start, rows):
    write(self, start, rows)
    if self.file.path.stem == "embeddings":
        os.kill(os.getpid(), signal.SIGKILL)

PartialArray.write = write_and_die
propose(open_workspace(sys.argv[1]))
"""
GONE_ON = """
import sys
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.workspace.workspace import open_workspace

print(propose(open_workspace(sys.argv[1])).made)
import ray
print([node["NodeManagerAddress"] for node in ray.nodes()])
"""


@needs_ray
def test_a_driver_that_was_killed_goes_on_where_it_stopped(
    cluster: Any, encoder: str, tmp_path: Path
) -> None:
    folders = [make(tmp_path / name, encoder, name) for name in ("local", "ray")]
    set_address(folders[1], cluster.address)
    propose(folders[0])
    run = [sys.executable, "-W", "error", "-c"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}

    killed = subprocess.run([*run, KILLED_MIDWAY, folders[1].folder], check=False, env=environment)
    state = json.loads((folders[1].folder / "embeddings.npy.part.json").read_text())
    set_address(folders[1], None)
    done = subprocess.run(
        [*run, GONE_ON, folders[1].folder],
        check=True,
        env=environment,
        capture_output=True,
        text=True,
    )

    assert killed.returncode == -9
    assert state["done"] == [0]
    assert "'embeddings'" in done.stdout.splitlines()[-2]
    assert done.stdout.splitlines()[-1] == "['127.0.0.1']"
    for name in ("embeddings", "fused"):
        made = [(work.folder / f"{name}.npy").read_bytes() for work in folders]
        assert made[0] == made[1]


def set_address(work: Workspace, address: str | None) -> None:
    """Have the work done on a cluster; None for one of its own."""
    path = work.folder / "hilt.yaml"
    config = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump(config | {"runner": config["runner"] | {"address": address}}))


def make(folder: Path, encoder: str, runner: str) -> Workspace:
    """A workspace of three chunks."""
    folder.mkdir()
    rng = np.random.default_rng(1)
    lines = [" ".join(rng.choice(WORDS, 6)) for _ in range(4200)]
    (folder / "pool.csv").write_text("\n".join(["text", *lines]))
    config = {
        "pool": {"path": "pool.csv"},
        "labels": ["goal", "vote"],
        "embedder": {"model": encoder, "precision": "float32"},
        "duplicates": {"near": False},
        "runner": {"kind": runner, **({"threads": 1} if runner == "ray" else {})},
        "device": "cpu",
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return init(folder / "work", folder / "config.yaml")


@pytest.mark.parametrize(
    ("address", "mode", "says"),
    [
        ("10.0.0.1:6379", None, "set RAY_AUTH_MODE=token"),
        ("10.0.0.1:6379", "disabled", "set RAY_AUTH_MODE=token"),
        ("auto", None, "set RAY_AUTH_MODE=token"),
        ("ray://10.0.0.1:10001", "token", "run hilt on a node of the cluster"),
        ("10.0.0.1", "token", "write HOST:PORT, or auto"),
        ("127.0.0.1:1", "token", r"at '127\.0\.0\.1:1' cannot be reached: .*refused\. Make sure"),
    ],
)
@needs_ray
def test_an_address_that_cannot_be_used_is_refused_at_once(
    monkeypatch: pytest.MonkeyPatch, address: str, mode: str | None, says: str
) -> None:
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    if mode is not None:
        monkeypatch.setenv("RAY_AUTH_MODE", mode)

    with pytest.raises(RunnerError, match=says):
        mapped(Ray(address), Troubled(""))


def test_without_ray_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)

    with pytest.raises(MissingExtraError, match=r"needs the package ray; install it with `pip in"):
        mapped(Ray(), Troubled(""))


def test_nothing_to_do_needs_no_cluster() -> None:
    Ray("10.0.0.1:6379").map(Troubled(""), iter(()), lambda start, rows: None)


def test_places_are_counted_node_by_node() -> None:
    nodes = [
        {"Alive": True, "Resources": {"CPU": 7.0, "GPU": 1.0}},
        {"Alive": True, "Resources": {"CPU": 4.0}},
        {"Alive": False, "Resources": {"CPU": 64.0}},
    ]

    assert count_places(nodes, {"CPU": 2.0, "GPU": 0.0}) == 5
    assert count_places(nodes, {"CPU": 2.0, "GPU": 0.5}) == 2
