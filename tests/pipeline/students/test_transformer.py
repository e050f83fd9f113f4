import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from hilt.errors import ModelError
from hilt.pipeline.configuration.student import StudentSection, TransformerSettings
from hilt.pipeline.students import transformer as transformer_module
from hilt.pipeline.students.base import Examples, Student
from hilt.pipeline.students.blend import BlendedStudent
from hilt.pipeline.students.linear import LinearStudent
from hilt.pipeline.students.saved import read_student, save_student
from hilt.pipeline.students.transformer import TransformerStudent
from hilt.pipeline.training import fine_tuning as fine_tuning_module
from hilt.pipeline.training.cross_validation import train_student
from hilt.pipeline.training.fine_tuning import FineTuner
from hilt.pipeline.training.self_training import SelfTraining
from hilt.pipeline.training.training_data import Said, TrainingData
from hilt.proposers.models.encoder import EncoderSource
from hilt.rows import Rows
from hilt.tasks.base import Targets
from hilt.tasks.categorical import one_hot
from hilt.types import Floats, Items
from tests.tiny_encoder import WORDS, save_tiny_encoder

MakeProblem = Callable[..., TrainingData]
LABELS = ("sport", "world", "business")
SETTINGS = TransformerSettings(
    epochs=12, learning_rate=3e-3, head_learning_rate=1e-2, batch_size=8, max_tokens=16
)
BF16 = 0.02  # what bfloat16 may move a probability


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_tiny_encoder(tmp_path_factory.mktemp("encoder"))


def examples(n: int = 48, seed: int = 0) -> Examples:
    """Texts whose label is told by their words."""
    rng = np.random.default_rng(seed)
    positions = np.arange(n) % 3
    texts = [
        " ".join(["the", *rng.choice(WORDS[3 * position : 3 * position + 3], 1 + place % 4)])
        for place, position in enumerate(positions)
    ]
    items = Items([str(place) for place in range(n)], texts, np.eye(n, 4, dtype=np.float32))
    return Examples(items, one_hot(positions, 3))


def fit(encoder: str, fitted: Examples | None = None, **settings: Any) -> TransformerStudent:
    values: dict[str, Any] = {"encoder": EncoderSource(encoder), "device": "cpu", "seed": 0}
    return TransformerStudent.fit(fitted or examples(), SETTINGS, **(values | settings))


@pytest.fixture(scope="module")
def student(encoder: str) -> TransformerStudent:
    return fit(encoder)


def loss_of(student: TransformerStudent, on: Examples) -> float:
    probabilities = student.predict_proba(on.items)
    return float(-(on.targets.rows.values * np.log(probabilities)).sum(axis=1).mean())


def plain_probabilities(folder: Path, texts: list[str]) -> tuple[Floats, Any]:
    """What transformers alone makes of a saved folder, in float32."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        logits = model(**tokenizer(texts, padding=True, return_tensors="pt")).logits
    return torch.softmax(logits, dim=1).numpy(), model.config


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


# Training


def test_the_loss_falls(encoder: str) -> None:
    fresh = examples(30, seed=1)

    losses = [loss_of(fit(encoder, epochs=epochs), fresh) for epochs in (1, 12)]

    assert losses[1] < losses[0]
    assert losses[1] < 0.5 * np.log(3)


def test_the_same_seed_trains_the_same(encoder: str, student: TransformerStudent) -> None:
    items = examples(10, seed=1).items

    again, other = fit(encoder), fit(encoder, seed=1)

    assert np.array_equal(again.predict_proba(items), student.predict_proba(items))
    assert not np.array_equal(other.predict_proba(items), student.predict_proba(items))


def test_training_leaves_the_global_generators_alone(encoder: str) -> None:
    before = torch.get_rng_state()

    fit(encoder, epochs=1)

    assert torch.equal(torch.get_rng_state(), before)


def test_an_example_that_weighs_little_teaches_little(encoder: str) -> None:
    """Half the examples have the wrong labels, and hardly any weight."""
    right = examples()
    rows = right.targets.rows.values
    targets = Targets(
        Rows(np.concatenate([rows, np.roll(rows, 1, axis=1)])),
        np.repeat(np.array([1, 0.01], dtype=np.float32), len(right)),
    )
    mixed = Examples(Items([*right.items.ids] * 2, [*right.items.texts] * 2), targets)

    student = fit(encoder, mixed)

    assert (student.predict_proba(right.items).argmax(axis=1) == np.arange(48) % 3).mean() > 0.9


def test_early_stop_goes_back_to_the_best_epoch(
    encoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = iter([3.0, 1.0, 2.0, 1.5])
    states = []

    def validate(run: Any, validation: Examples) -> float:
        states.append({name: each.clone() for name, each in run.student.model.state_dict().items()})
        return next(losses)

    monkeypatch.setattr(transformer_module._Run, "_validate", validate)

    student = fit(encoder, validation=examples(6))

    assert student.epochs == 2
    assert len(states) == 4
    for name, tensor in student.model.state_dict().items():
        assert torch.equal(tensor, states[1][name])


def test_validation_on_other_labels_stops_after_two_epochs_more(encoder: str) -> None:
    turned = replace(examples(12), targets=one_hot((np.arange(12) + 1) % 3, 3))

    student = fit(encoder, validation=turned)

    assert student.epochs < SETTINGS.epochs - 2


def test_a_text_that_is_too_long_is_cut(encoder: str, student: TransformerStudent) -> None:
    texts = ["goal " * 14, "goal " * 1000]

    probabilities = student.predict_proba(Items(["a", "b"], texts))

    assert probabilities[0] == pytest.approx(probabilities[1], abs=BF16)


def test_predictions_come_in_the_order_of_the_items(student: TransformerStudent) -> None:
    items = examples(150).items
    turned = Items(items.ids[::-1], items.texts[::-1])

    forwards, backwards = student.predict_proba(items), student.predict_proba(turned)

    assert forwards.dtype == np.float32
    assert forwards.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert backwards[::-1] == pytest.approx(forwards, abs=BF16)


def test_empty_texts_and_no_items_are_predicted_too(student: TransformerStudent) -> None:
    assert student.predict_proba(Items([], [])).shape == (0, 3)
    assert np.isfinite(student.predict_proba(Items(["a"], [""]))).all()


@pytest.mark.parametrize("temperature", [0.5, 3.0])
def test_sharpening_divides_the_logits(student: TransformerStudent, temperature: float) -> None:
    texts = list(examples(9).items.texts)
    sharpened = student.sharpened(temperature)
    with torch.inference_mode():
        before = student.model(**student._encode(texts)).logits
        after = sharpened.model(**sharpened._encode(texts)).logits

    assert after.numpy() == pytest.approx((before / temperature).numpy(), abs=1e-4)


def test_an_encoder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nowhere' cannot be loaded"):
        fit(str(tmp_path / "nowhere"))


# On disk


def save(student: Any, folder: Path) -> None:
    save_student(student, folder, LABELS, {"model": "m"}, {"cycle": 1})


def test_a_saved_student_loads_with_transformers_alone(
    tmp_path: Path, student: TransformerStudent
) -> None:
    items = examples(20, seed=2).items
    cooled = student.sharpened(2.0)
    save(cooled, tmp_path / "student")

    probabilities, config = plain_probabilities(tmp_path / "student", list(items.texts))

    assert probabilities == pytest.approx(cooled.predict_proba(items), abs=BF16)
    assert config.id2label == dict(enumerate(LABELS))
    assert config.label2id == {label: place for place, label in enumerate(LABELS)}


def test_a_saved_student_predicts_the_same(tmp_path: Path, student: TransformerStudent) -> None:
    items = examples(20, seed=2).items
    save(student, tmp_path / "student")

    saved = read_student(tmp_path / "student", "cpu")

    assert np.array_equal(saved.student.predict_proba(items), student.predict_proba(items))
    assert saved.labels == LABELS
    assert saved.embedder == {"model": "m"}
    assert (saved.record["kind"], saved.record["cycle"]) == ("transformer", 1)


def blend(student: TransformerStudent) -> BlendedStudent:
    linear = LinearStudent.fit(examples(), 10)
    return BlendedStudent({"linear": linear, "transformer": student}, (0.25, 0.75), 1.5)


def test_a_saved_blend_predicts_the_same(tmp_path: Path, student: TransformerStudent) -> None:
    items = examples(20).items
    save(blend(student), tmp_path / "student")

    again = read_student(tmp_path / "student", "cpu").student

    assert np.array_equal(again.predict_proba(items), blend(student).predict_proba(items))
    assert again.kind == "blend"


def test_sharpening_a_blend_divides_its_logits(student: TransformerStudent) -> None:
    items = examples(9).items
    plain, cooled = (
        np.log(each.predict_proba(items)) for each in (blend(student), blend(student).sharpened(2))
    )

    assert cooled - cooled[:, :1] == pytest.approx((plain - plain[:, :1]) / 2, abs=1e-3)


def test_nothing_that_is_saved_is_a_pickle(tmp_path: Path, student: TransformerStudent) -> None:
    save(blend(student), tmp_path / "student")

    endings = {Path(name).suffix for name in files(tmp_path)}

    assert endings <= {".json", ".safetensors", ".txt"}
    assert {"student.json", "blend.json", "model.safetensors"} <= files(tmp_path)


SAVE_AND_DIE = """
import os, signal, sys
from pathlib import Path
import numpy as np
from hilt.pipeline.students import saved
from hilt.pipeline.students.linear import LinearStudent

def die(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)

saved.write_json = die
student = LinearStudent(np.ones((5, 3), dtype=np.float32))
saved.save_student(student, Path(sys.argv[1]), ("a", "b", "c"), {}, {})
"""


def test_a_killed_save_leaves_no_student_and_the_next_one_works(tmp_path: Path) -> None:
    folder = tmp_path / "students" / "cycle-0001"
    killed = subprocess.run([sys.executable, "-c", SAVE_AND_DIE, str(folder)], check=False)
    left = [path.name for path in folder.parent.iterdir()]

    with pytest.raises(ModelError):
        read_student(folder, "cpu")
    save(LinearStudent(np.zeros((5, 3), dtype=np.float32)), folder)

    assert killed.returncode == -9
    assert left == ["cycle-0001.partial"]
    assert [path.name for path in folder.parent.iterdir()] == ["cycle-0001"]
    assert read_student(folder, "cpu").student.kind == "linear"


def test_a_killed_save_keeps_the_student_that_was_there(tmp_path: Path) -> None:
    save(LinearStudent(np.zeros((5, 3), dtype=np.float32)), tmp_path / "student")

    subprocess.run([sys.executable, "-c", SAVE_AND_DIE, str(tmp_path / "student")], check=False)

    assert read_student(tmp_path / "student", "cpu").labels == LABELS


@pytest.mark.parametrize("record", [None, "", "{", "[]", "{}", '{"format": 1}', "7"])
def test_a_folder_that_holds_no_student_is_refused(tmp_path: Path, record: str | None) -> None:
    for text in [record] if record is not None else []:
        (tmp_path / "student.json").write_text(text)

    with pytest.raises(ModelError, match=r"contains no student: it has no readable student\.json"):
        read_student(tmp_path, "cpu")


def test_a_student_of_a_newer_hilt_is_refused(tmp_path: Path) -> None:
    record = {"format": 99, "kind": "quantum", "labels": [], "embedder": {}}
    (tmp_path / "student.json").write_text(json.dumps(record))

    with pytest.raises(ModelError, match="newer hilt; upgrade"):
        read_student(tmp_path, "cpu")


@pytest.mark.parametrize("kind", ["linear", "transformer", "blend"])
@pytest.mark.parametrize("damage", ["lost", "cut"])
def test_a_damaged_student_is_refused(
    tmp_path: Path, student: TransformerStudent, kind: str, damage: str
) -> None:
    blended = blend(student)
    save({**blended.parts, "blend": blended}[kind], tmp_path / "student")
    for path in (tmp_path / "student").rglob("model.safetensors"):
        content = path.read_bytes()
        path.unlink()
        for half in [content[: len(content) // 2]] * (damage == "cut"):
            path.write_bytes(half)

    with pytest.raises(ModelError, match="has changed since it was saved"):
        read_student(tmp_path / "student", "cpu")


# The number of epochs, and the whole of it


@pytest.mark.parametrize("epochs", [1, 3])
def test_it_guesses_anew_halfway(
    encoder: str, make_problem: MakeProblem, monkeypatch: pytest.MonkeyPatch, epochs: int
) -> None:
    problem = make_problem(24)
    some = SETTINGS.model_copy(update={"epochs": epochs})
    settings = StudentSection(kind="transformer", transformer=some)
    self_training = SelfTraining(problem, settings, np.array([1.0, 1.0]), 0.3)
    teachers, guess = [], SelfTraining.guess

    def watched(taught: SelfTraining, student: Student, proposed: Said, *limits: int) -> Examples:
        if limits:  # the linear teacher's own rounds have none
            teachers.append((student.kind, getattr(student, "epochs", 0)))
        return guess(taught, student, proposed, *limits)

    monkeypatch.setattr(SelfTraining, "guess", watched)
    tuner = FineTuner(
        "transformer", problem, settings, self_training, EncoderSource(encoder), "cpu", 0
    )

    student = tuner.fit(np.arange(24))

    assert student.epochs == epochs
    assert teachers == [("linear", 0), ("transformer", 1)][: min(epochs, 2)]


@pytest.mark.parametrize(("n", "stops"), [(12, False), (60, True)])
def test_a_part_of_many_labels_says_when_to_stop(
    encoder: str, make_problem: MakeProblem, monkeypatch: pytest.MonkeyPatch, n: int, stops: bool
) -> None:
    monkeypatch.setattr(fine_tuning_module, "MIN_FOR_VALIDATION", 60)
    settings = StudentSection(kind="transformer", transformer=SETTINGS)
    at_random = np.random.default_rng(0).integers(3, size=n)
    problem = make_problem(n, positions=at_random)
    tuner = FineTuner("transformer", problem, settings, None, EncoderSource(encoder), "cpu", 0)

    student = tuner.fit(np.arange(n))

    assert (student.epochs < SETTINGS.epochs) == stops


@pytest.mark.parametrize("kind", ["transformer", "auto"])
def test_cross_validation_trains_a_transformer(
    encoder: str, make_problem: MakeProblem, kind: str, tmp_path: Path
) -> None:
    problem = make_problem(60, noise=0.6, proposal_accuracy=0.5)
    settings = StudentSection.model_validate(
        {
            "kind": kind,
            "effort": "thorough",
            "folds": 3,
            "transformer": {**SETTINGS.model_dump(), "from_labels": 50, "batch_size": 16},
        }
    )

    training = train_student(
        problem,
        settings,
        encoder=EncoderSource(encoder),
        device="cpu",
        rng=np.random.default_rng(0),
    )
    save(training.student, tmp_path / "student")

    predicted = training.student.predict_proba(problem.unlabelled)
    again = read_student(tmp_path / "student", "cpu").student.predict_proba(problem.unlabelled)
    right = predicted.argmax(axis=1) == np.arange(200) % 3
    assert "transformer" in training.scores
    assert right.mean() > 0.75
    assert again == pytest.approx(predicted, abs=1e-5)
