"""Every kind of student, made once, through everything that happens to it after training.

Each is trained in a project with an encoder of its own, released, and then the project is moved
away: what the release does not hold is not there any more.
"""

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from sentence_transformers import SentenceTransformer
from transformers import AutoTokenizer, BertConfig, BertModel
from typer.testing import CliRunner

import hilt
from hilt.pipeline.cli import app
from hilt.pipeline.configuration.student import STUDENTS
from hilt.pipeline.proposing.embedding import load_embedder
from hilt.pipeline.proposing.propose import propose
from hilt.pipeline.releasing.release import release
from hilt.pipeline.reviewing.answer_files import record, simulate
from hilt.pipeline.selecting.batches import select
from hilt.pipeline.students import fine_tune as encoder_training
from hilt.pipeline.students.base import Student
from hilt.pipeline.students.blend import BlendedStudent
from hilt.pipeline.students.saved import read_student
from hilt.pipeline.training import combining
from hilt.pipeline.training import cross_validation as training
from hilt.pipeline.training.train import train
from hilt.pipeline.workspace.init import init
from hilt.proposers.models.encoder import quiet_loading
from hilt.types import Decision, Items

# Names that YAML, CSV and Markdown would take for something else.
WORDS = {
    "yes": "goal match team player",
    "null": "vote law state party",
    'cafés: "a|b"': "bank share price money",
    "1": "soup bread rice cheese",
}
LABELS = tuple(WORDS)
FILLERS = ("the", "a", "of", "and", "today", "again", "here", "often", "much")
PROMPTS = {"prompt": "often much ", "description_prompt": "here "}
TEXTS = [
    *(f"the {words}" for words in WORDS.values()),
    *(" ".join(words.split()[::-1]) for words in WORDS.values()),
    "goal " * 200,  # longer than any encoder reads
]


@dataclass(frozen=True)
class Kind:
    """One row of the matrix: what is configured, and what cross-validation is made to prefer."""

    parts: tuple[str, ...]
    rounds: int = 2
    test: bool = True
    audit: float = 0.25

    @property
    def name(self) -> str:
        return self.parts[0] if len(self.parts) == 1 else "blend"


KINDS = {
    "linear": Kind(("linear",), rounds=0, test=False, audit=0),
    "contrastive": Kind(("contrastive",), test=False),
    "transformer": Kind(("transformer",), rounds=0),
    "linear+contrastive": Kind(("linear", "contrastive")),
    "linear+transformer": Kind(("linear", "transformer"), audit=0),
    "contrastive+transformer": Kind(("contrastive", "transformer"), rounds=0, test=False),
}


@dataclass(frozen=True)
class Released:
    """A release whose project is gone.

    Attributes:
        expected: What its student said of `TEXTS` in its workspace.
        vectors: Of `TEXTS`, as hilt makes them where it needs vectors of the embedder.
        secret: What nothing in the release may name: the folder of the project.
        skipped: The id of an item that was skipped, with a comment.
    """

    kind: Kind
    folder: Path
    expected: list[str]
    vectors: np.ndarray
    secret: str
    skipped: str

    @property
    def student(self) -> Path:
        return self.folder / "student"


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Iterator[None]:
    """One thread for models as small as these, in float32, and no bars from the libraries."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    datasets.disable_progress_bars()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(encoder_training, "resolve_precision", lambda *_: torch.float32)
        yield
    datasets.enable_progress_bars()
    torch.set_num_threads(before)


def make_encoder(folder: Path) -> None:
    """A sentence encoder of one layer, untrained, with a few dozen words."""
    words = [*FILLERS, *" ".join(WORDS.values()).split()]
    bert = folder.with_name("bert")
    bert.mkdir()
    (bert / "vocab.txt").write_text(
        "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words])
    )
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=5 + len(words),
        hidden_size=24,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=48,
        max_position_embeddings=64,
        initializer_range=0.2,
    )
    with quiet_loading():
        BertModel(config).save_pretrained(bert)
        AutoTokenizer.from_pretrained(bert, model_max_length=64).save_pretrained(bert)
        SentenceTransformer(str(bert)).save_pretrained(str(folder), create_model_card=False)


def write_rows(path: Path, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("id", "text", "label"))
        for place in range(n):
            label = LABELS[place % len(LABELS)]
            words = [*rng.choice(WORDS[label].split(), 3), *rng.choice(FILLERS, 3)]
            table.writerow((f"{path.stem}-{place}", " ".join(rng.permutation(words)), label))


def configure(folder: Path, kind: Kind) -> Path:
    columns = {"id": "id", "text": "text", "label": "label"}
    write_rows(folder / "pool.csv", 64, seed=0)
    write_rows(folder / "test.csv", 12, seed=1)
    fine = {"epochs": 6, "learning_rate": 4e-3, "batch_size": 8, "max_tokens": 32, "from_labels": 1}
    config = {
        "pool": {"path": "pool.csv", **columns},
        "labels": {label: f"about {WORDS[label]}" for label in LABELS},
        "language": "no",
        "embedder": {"model": "./enc", "precision": "float32", **PROMPTS},
        "duplicates": {"near": False},
        "batch": {"size": 48, "audit": kind.audit, "near_duplicate": 1},
        "student": {
            "kind": kind.name if kind.name != "blend" else "auto",
            "self_training": {"rounds": kind.rounds},
            "folds": 2,
            "contrastive": fine,
            "transformer": {**fine, "head_learning_rate": 1e-2},
        },
        "device": "cpu",
        **({"test": {"path": "test.csv", **columns}} if kind.test else {}),
    }
    (folder / "c.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return folder / "c.yaml"


@pytest.fixture(scope="module", params=KINDS)
def released(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Released:
    kind = KINDS[request.param]
    folder = tmp_path_factory.mktemp("made")
    project = folder / "project"
    project.mkdir()
    make_encoder(project / "enc")
    workspace = init(project / "work", configure(project, kind))
    propose(workspace)
    batch = select(workspace)
    simulate(workspace, batch)
    skipped = batch.items[0].item_id
    record(workspace, [Decision(skipped, "skip", (), "simulated", comment="two, at once")])
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(
            training.TRIED_BY, "normal", tuple(each for each in kind.parts if each != "linear")
        )
        weights = dict(zip(kind.parts, (0.5, 0.75), strict=False))
        patched.setattr(combining, "_blend_weights", lambda *_: weights)
        summary = train(workspace).summary
    assert summary.kind == kind.name
    propose(workspace)
    expected = hilt.load_student(workspace).predict(TEXTS)
    vectors = load_embedder(workspace).embed(TEXTS)
    result = release(workspace, folder / "out")
    workspace.database.close()
    project.rename(folder / "elsewhere")
    return Released(kind, result.folder, expected, vectors, str(project), skipped)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in which everything is run."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_blocks(card: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Run the Python of a card in its folder, on `TEXTS`, and return what each block defines."""
    blocks = re.findall(r"^```python\n(.*?)^```$", card.read_text("utf-8"), re.S | re.M)
    monkeypatch.chdir(card.parent)
    found = []
    for block in blocks:
        code, count = re.subn(r"^texts = .*$", f"texts = {TEXTS!r}", block, flags=re.M)
        assert count == 1
        names: dict[str, Any] = {}
        exec(code, names)
        found.append(names)
    return found


def parts_of(folder: Path) -> list[Student]:
    """What of a student has an encoder of its own."""
    student = read_student(folder, "cpu").student
    parts = student.parts.values() if isinstance(student, BlendedStudent) else [student]
    return [part for part in parts if not part.reads_embeddings]


def test_the_matrix_has_every_kind_that_there_is() -> None:
    assert {kind.name for kind in KINDS.values()} == set(STUDENTS.names())


@pytest.mark.parametrize("kind", STUDENTS.names())
def test_every_kind_says_what_it_is_and_what_it_needs(kind: str) -> None:
    made = STUDENTS.load(kind)

    assert made.kind == kind
    assert callable(made.card)
    assert hasattr(made, "reads_embeddings")


def test_a_release_is_whole_and_names_no_folder_of_the_project(released: Released) -> None:
    texts = [
        path.read_text("utf-8")
        for path in released.folder.rglob("*")
        if path.suffix in (".json", ".md")
    ]
    reads = "linear" in released.kind.parts
    record = json.loads((released.student / "student.json").read_text("utf-8"))

    assert not [text for text in texts if released.secret in text]
    assert (released.student / "encoder" / "modules.json").exists() == (
        reads or released.kind.parts == ("contrastive",)
    )
    assert (record["kind"], record["labels"]) == (released.kind.name, list(LABELS))
    assert (record["embedder"] or {}).get("model") == ("./encoder" if reads else None)
    assert bool(record["embedder_weights"]) == reads


def test_the_cards_say_what_there_is(released: Released) -> None:
    kind = released.kind
    card = (released.student / "README.md").read_text("utf-8")
    dataset = (released.folder / "README.md").read_text("utf-8")

    heads = [yaml.safe_load(text.split("---\n")[1]) for text in (card, dataset)]
    assert [head["language"] for head in heads] == [["no"], ["no"]]
    assert ("| in the pool |" in card or "| on items like the pool |" in card) == bool(kind.audit)
    assert ("the test set of the configuration" in card) == kind.test
    assert ("nothing is measured yet" in card) == (not kind.audit and not kind.test)
    assert ("has its own encoder" in card) == ("linear" not in kind.parts)
    assert ("SentenceTransformer(" in card) == ("contrastive" in kind.parts)
    assert ('pipeline("text-classification"' in card) == ("transformer" in kind.parts)
    assert "| nobody: skipped (`none`, and `action` is `skip`) | 1 |" in dataset
    assert "| nobody: flagged (`none`, and `action` is `flag`) | 0 |" in dataset
    assert "1 of the items have a comment" in dataset


def test_datasets_loads_a_release_with_the_names_of_its_labels(
    released: Released, elsewhere: Path
) -> None:
    cache = str(elsewhere / "cache")
    loaded = datasets.load_dataset(str(released.folder), cache_dir=cache)
    parquet = str(released.folder / "dataset.parquet")
    alone = datasets.Dataset.from_parquet(parquet, cache_dir=cache)

    assert list(loaded) == ["train"]
    with (released.folder / "dataset.csv").open(encoding="utf-8", newline="") as file:
        named = list(csv.DictReader(file))
    for column in ("label", "proposal"):
        said = [row[column] for row in named]
        names = loaded["train"].features[column]
        assert names.names == list(LABELS)
        assert ["" if p is None else names.int2str(p) for p in loaded["train"][column]] == said
        assert [name or "" for name in alone[column]] == said
    for rows in (loaded["train"], alone):
        (skipped,) = [row for row in rows if row["id"] == released.skipped]
        assert (skipped["label"], skipped["action"], skipped["comment"]) == (
            None,
            "skip",
            "two, at once",
        )


def test_the_code_in_the_card_of_a_dataset_loads_it(
    released: Released, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    monkeypatch.chdir(released.folder)
    (block,) = re.findall(r"```python\n(.*?)```", Path("README.md").read_text("utf-8"), re.S)
    names: dict[str, Any] = {}

    exec(block, names)

    assert names["names"] == list(LABELS)
    assert len(names["dataset"]) == 64


def test_a_student_loads_as_its_card_says(
    released: Released, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_hilt, *others = run_blocks(released.student / "README.md", monkeypatch)

    assert with_hilt["labels"] == released.expected
    assert with_hilt["probabilities"].shape == (len(TEXTS), len(LABELS))
    assert with_hilt["probabilities"].sum(axis=1) == pytest.approx(1, abs=1e-5)
    for other, part in zip(others, parts_of(released.student), strict=True):
        said = part.predict_proba(Items([""] * len(TEXTS), TEXTS)).argmax(axis=1)
        assert list(other["labels"]) == [LABELS[position] for position in said]


def test_a_released_encoder_puts_the_prompt_before_texts_without_hilt(released: Released) -> None:
    for folder in released.student.rglob("encoder"):
        encoder = SentenceTransformer(str(folder), device="cpu")

        vectors = encoder.encode(TEXTS, normalize_embeddings=True)

        bare = encoder.encode(TEXTS, normalize_embeddings=True, prompt="")
        prompted = [PROMPTS["prompt"] + text for text in TEXTS]
        assert not np.allclose(vectors, bare, atol=0.01)
        assert vectors == pytest.approx(
            encoder.encode(prompted, normalize_embeddings=True, prompt=""), abs=1e-5
        )
        if folder.parent == released.student and "linear" in released.kind.parts:
            assert vectors == pytest.approx(released.vectors, abs=1e-5)


@pytest.mark.parametrize("place", ["", "student"])
def test_a_student_predicts_from_any_folder(
    released: Released, elsewhere: Path, place: str
) -> None:
    with (elsewhere / "new.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text",), *((text,) for text in TEXTS)])

    result = CliRunner().invoke(
        app, ["predict", str(released.folder / place), "new.csv", "-o", "said.parquet"]
    )

    assert result.exit_code == 0, result.stderr
    rows = pq.read_table(elsewhere / "said.parquet").to_pylist()
    assert [row["label"] for row in rows] == released.expected


def test_a_graph_says_what_the_student_says(
    released: Released, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hilt.onnx(released.folder, "graph")

    (found,) = run_blocks(elsewhere / "graph" / "README.md", monkeypatch)

    student = hilt.load_student(released.folder)
    assert found["labels"] == released.expected
    for texts in ([*TEXTS, ""], TEXTS[:1]):
        graph = found["predict"](".", texts)
        assert graph == pytest.approx(student.predict_proba(texts), abs=1e-3)


def test_a_student_is_right(released: Released) -> None:
    """Else the same label twice would not mean much."""
    truth = [*LABELS, *LABELS, LABELS[0]]

    assert np.mean([a == b for a, b in zip(released.expected, truth, strict=True)]) > 0.7
