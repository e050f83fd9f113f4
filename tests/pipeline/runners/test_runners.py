"""Where the work on each item is done changes nothing of what it comes to."""

import pickle
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import yaml
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

from hilt.errors import ConfigError
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.proposing.work import EmbedWork, PredictWork
from hilt.pipeline.releasing.loaded import load_student
from hilt.pipeline.releasing.predict import predict
from hilt.pipeline.runners.base import Chunk, Sink, Work
from hilt.pipeline.runners.local import Local
from hilt.pipeline.students.base import Student
from hilt.pipeline.students.blend import BlendedStudent
from hilt.pipeline.students.contrastive import ContrastiveStudent, open_encoder
from hilt.pipeline.students.linear import LinearStudent
from hilt.pipeline.students.transformer import TransformerStudent
from hilt.pipeline.workspace.workspace import Workspace, open_workspace
from hilt.proposers.guarded import make_embedder
from hilt.tasks.single import Single
from hilt.types import Floats, Items
from tests.tiny_encoder import save_tiny_encoder

Open = Callable[[str], Workspace]
ARRAYS = ("embeddings", "test-embeddings", "proposals/zero_shot", "proposals/nli", "fused")


@dataclass(frozen=True)
class Doubled:
    """Says twice the length of every text."""

    name: ClassVar[str] = "Doubling"

    def identity(self) -> Mapping[str, str]:
        return {}

    def open(self) -> Callable[[Items], Floats]:
        return lambda items: np.array([[2.0 * len(text)] for text in items.texts])


class Sent:
    """Sends all that a chunk needs through bytes, as to another machine."""

    done: ClassVar[list[str]] = []

    def map(self, work: Work, chunks: Iterable[Chunk], sink: Sink) -> None:
        arrived: Work = pickle.loads(pickle.dumps(work))
        assert arrived.identity() == work.identity()
        rows_of = arrived.open()
        self.done.append(work.name)
        for chunk in chunks:
            sent: Chunk = pickle.loads(pickle.dumps(chunk))
            sink(sent.start, pickle.loads(pickle.dumps(rows_of(sent.items))))


def set_up(work: Workspace, **changes: Any) -> Workspace:
    path = work.folder / "hilt.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **changes}))
    return open_workspace(work.folder)


@pytest.fixture(scope="module")
def nli_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("nli")
    save_tiny_encoder(folder)
    id2label = {0: "entailment", 1: "not_entailment"}
    config = BertConfig.from_pretrained(folder, num_labels=2, id2label=id2label)
    BertForSequenceClassification(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(folder).save_pretrained(folder)
    return str(folder)


def test_local_hands_over_chunks_in_their_order_and_reads_them_as_they_are_needed() -> None:
    said: list[str] = []

    def chunks() -> Iterator[Chunk]:
        for start in (4, 0, 2):
            said.append(f"read {start}")
            yield Chunk(start, Items(["a"], ["x" * start]))

    Local().map(Doubled(), chunks(), lambda start, rows: said.append(f"{start}: {rows[0, 0]:g}"))

    assert said == ["read 4", "4: 8", "read 0", "0: 0", "read 2", "2: 4"]


def test_work_that_is_sent_elsewhere_comes_to_the_same_bits(
    small_workspace: Open, nli_model: str, tmp_path: Path
) -> None:
    here = small_workspace("trained")
    proposers = [{"kind": "zero_shot"}, {"kind": "nli", "model": nli_model, "max_tokens": 16}]
    there = Path(shutil.copytree(here.folder, tmp_path / "there"))
    for left in (*there.glob("*embeddings.*"), *there.glob("proposals/*")):
        left.unlink()
    Sent.done.clear()

    here = set_up(here, proposers=proposers)
    propose(here)
    away = set_up(open_workspace(there), proposers=proposers, runner=f"{__name__}:Sent")
    propose(away)
    pool = tmp_path / "pool.csv"
    pool.write_text("text\nA cat\n\nA soup\n")
    predict(here, pool, tmp_path / "here.csv")
    predict(away, pool, tmp_path / "away.csv")

    assert Sent.done == [*["Embedding"] * 2, *["Proposing"] * 2, "Predicting"]
    for name in (*ARRAYS, "proposals/student"):
        made = [(folder / f"{name}.npy").read_bytes() for folder in (here.folder, there)]
        assert made[0] == made[1]
    assert (tmp_path / "here.csv").read_bytes() == (tmp_path / "away.csv").read_bytes()


def test_the_same_holds_for_a_limited_proposer_whose_answers_have_gaps(
    small_workspace: Open, nli_model: str, tmp_path: Path
) -> None:
    limited = {"kind": "nli", "model": nli_model, "max_tokens": 16, "max_items": 7}
    here = set_up(small_workspace("proposed"), proposers=[{"kind": "zero_shot"}, limited])
    there = Path(shutil.copytree(here.folder, tmp_path / "there"))
    away = set_up(open_workspace(there), runner=f"{__name__}:Sent")

    propose(here)
    propose(away)

    said, sent = (np.load(work.folder / "proposals" / "nli.npy") for work in (here, away))
    assert np.array_equal(said, sent, equal_nan=True)
    assert int((~np.isnan(said[:, 0])).sum()) == 7


def test_a_runner_changes_no_maker_so_that_nothing_is_made_again(small_workspace: Open) -> None:
    work = small_workspace("two_cycles")
    propose(work)

    assert propose(set_up(work, runner={"kind": f"{__name__}:Sent"})).made == ()


def linear() -> LinearStudent:
    return LinearStudent(np.random.default_rng(0).standard_normal((33, 2), dtype=np.float32))


def transformer(folder: str) -> TransformerStudent:
    model = BertForSequenceClassification.from_pretrained(folder)
    return TransformerStudent(model, AutoTokenizer.from_pretrained(folder), 32)


STUDENTS: dict[str, Callable[[str], Student]] = {
    "linear": lambda _folder: linear(),
    "contrastive": lambda folder: ContrastiveStudent(open_encoder(folder, "cpu"), linear()),
    "transformer": transformer,
    "blend": lambda folder: BlendedStudent(
        {"linear": linear(), "transformer": transformer(folder)}, (0.5, 0.5), temperature=0.7
    ),
}


@pytest.mark.parametrize("kind", STUDENTS)
def test_a_student_of_any_kind_is_sent_with_its_files(kind: str, nli_model: str) -> None:
    vectors = np.eye(2, 32, dtype=np.float32)
    items = Items(["a", "b"], ["the goal", "a vote for the law"], vectors)
    work = PredictWork(STUDENTS[kind](nli_model), Single(("x", "y")), "cpu")

    arrived: PredictWork = pickle.loads(pickle.dumps(work))

    assert arrived.open()(items).tobytes() == work.open()(items).tobytes()


def test_a_student_is_sent_with_the_embedder_that_it_needs(small_workspace: Open) -> None:
    loaded = load_student(small_workspace("trained"), device="cpu")
    items = Items(["a", "b"], ["A cat slept.", "Soup for dinner."])

    arrived: PredictWork = pickle.loads(pickle.dumps(loaded.work))

    assert arrived.open()(items).tobytes() == loaded.work.open()(items).tobytes()
    assert arrived.open()(Items([], [])).shape == (0, 3)


def test_an_embedder_of_ones_own_is_sent_as_its_settings() -> None:
    embedder = make_embedder(f"{__name__}:Lengths", "cpu", {"dimension": 3})

    arrived: EmbedWork = pickle.loads(pickle.dumps(EmbedWork(embedder)))

    rows = arrived.open()(Items(["a", "b"], ["xx", "yyy"]))
    assert rows.tolist() == [[0, 0, 1], [1, 0, 0]]


class Lengths:
    """Turns a text into the unit vector of the place that its length says."""

    max_tokens = 8

    def __init__(self, device: str, dimension: int) -> None:
        self.dimension = dimension
        self.fingerprint = {"dimension": str(dimension)}

    def embed(self, texts: list[str]) -> Floats:
        return np.eye(self.dimension)[[len(text) % self.dimension for text in texts]]

    def token_counts(self, texts: list[str]) -> list[int]:
        return [1] * len(texts)


@pytest.mark.parametrize(
    ("runner", "says"),
    [
        ("lokal", r"Unknown runner 'lokal'\. Did you mean: local\?"),
        ({"kind": "local", "address": "x"}, r"address"),
        (5, "runner"),
        ({"kind": f"{__name__}:Sent", "settings": {"x": 1}}, "Sent has no setting 'x'"),
    ],
)
def test_a_runner_that_is_not_there_is_refused(
    small_workspace: Open, runner: Any, says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        set_up(small_workspace("ready"), runner=runner)
