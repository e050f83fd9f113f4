"""Proposers and embedders of the user's own that misbehave: each is named, in one sentence."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from hilt.errors import ExtensionError, UnknownNameError
from hilt.proposers.base import Context
from hilt.proposers.guarded import GuardedProposer, make_embedder
from hilt.rows import Rows
from hilt.tasks.categorical import one_hot
from hilt.types import Items, Label

LABELS = [Label("a", "cats"), Label("b", "dogs"), Label("c", "birds")]
ITEMS = Items(["i1", "i2"], ["one", "two"], np.eye(2, 4, dtype=np.float32))
HERE = "test_guarded"
EVEN = np.full((2, 3), 1 / 3)
NAN = np.nan


@dataclass
class Gives:
    """A proposer that gives what it is told to."""

    context: Any
    rows: Any = None
    told: Any = None
    fingerprint: Any = None
    calibration: Any = "none"
    learnt: list[Any] = field(default_factory=list)

    def propose(self, items: Items) -> Any:
        return self.rows

    def summary(self) -> Any:
        return self.told


class Raises:
    """A proposer that raises whatever it is asked."""

    def __init__(self, context: Context, error: BaseException) -> None:
        self.error = error

    def propose(self, *_: object) -> Any:
        raise self.error

    learn = estimate = summary = propose
    fingerprint = calibration = property(propose)


class Unbuilt:
    def __init__(self, context: Context, error: BaseException) -> None:
        raise error


class Nothing:
    def __init__(self, context: Context) -> None:
        pass


class Broken:
    """Raises when its array is asked for."""

    def __array__(self, *_: object, **__: object) -> None:
        raise RuntimeError("told to")


FORTY_TWO = 42


def made(name: str, /, **settings: Any) -> GuardedProposer:
    context = Context(LABELS, embedder=None)  # type: ignore[arg-type]
    return GuardedProposer(f"{__name__}:{name}", "mine", context, settings)


GOOD = {
    "an array": EVEN,
    "lists": EVEN.tolist(),
    "one-hot whole numbers": np.eye(3, dtype=np.int64)[:2],
    "one-hot booleans": np.eye(3, dtype=bool)[:2],
    "half precision": EVEN.astype(np.float16),
    "abstentions": np.full((2, 3), NAN),
    "one abstention": np.array([[0.2, 0.3, 0.5], [NAN, NAN, NAN]]),
}


@pytest.mark.parametrize("what", GOOD)
def test_distributions_and_abstentions_pass(what: str) -> None:
    proposed = made("Gives", rows=GOOD[what]).propose(ITEMS)

    assert proposed.values.dtype == np.float32
    assert np.allclose(
        proposed.values, np.array(GOOD[what], dtype=float), atol=1e-3, equal_nan=True
    )


def test_rows_pass_as_their_values_do() -> None:
    assert np.array_equal(made("Gives", rows=Rows(EVEN)).propose(ITEMS).values, EVEN.astype("f4"))


WRONG = {
    "NaN in a cell": (np.array([[0.5, 0.5, NAN], *EVEN[1:]]), "'i1' are NaN in 1 of 3 places"),
    "infinity": (np.array([EVEN[0], [np.inf, 0, 0]]), "'i2' are not all finite"),
    "minus infinity": (np.array([EVEN[0], [-np.inf, 1, 0]]), "'i2' are not all finite"),
    "too much for a float": (np.full((2, 3), 1e300), "'i1' are not all finite"),
    "negatives": (np.array([[1.5, -0.5, 0]] * 2), "2 of 2 items.* go down to -0.5"),
    "sums of two": (2 * EVEN, "sum to 2"),
    "zeros": (0 * EVEN, "sum to 0"),
    "scores": (np.array([[3.0, 2.0, 4.0]] * 2), r"sum to 9.* \(a softmax turns"),
    "a row too few": (EVEN[:1], r"shape \(1, 3\); the shape must be \(2, 3\)"),
    "a column too many": (np.full((2, 4), 0.25), r"shape \(2, 4\)"),
    "a row for all": (EVEN[0], r"shape \(3,\)"),
    "a number": (0.5, r"shape \(\)"),
    "nothing": (None, "None; it must return numbers, an array of shape"),
    "words": (np.full((2, 3), "a"), "an array of str"),
    "complex numbers": (EVEN + 1j, "an array of complex128"),
    "objects": (np.full((2, 3), None), "an array of object"),
    "lists of different lengths": ([[1.0], [0.5, 0.5]], "a list;"),
    "what is no array": (Broken(), "a Broken;"),
}


@pytest.mark.parametrize("what", WRONG)
def test_anything_else_is_refused_by_the_name_of_the_proposer(what: str) -> None:
    rows, says = WRONG[what]

    with pytest.raises(ExtensionError, match=f"^Proposer 'mine' .*:Gives\\) returned .*{says}"):
        made("Gives", rows=rows).propose(ITEMS)


CALLS: dict[str, Callable[[GuardedProposer], object]] = {
    "propose": lambda proposer: proposer.propose(ITEMS),
    "learn": lambda proposer: proposer.learn(ITEMS, one_hot(np.array([0, 1]), 3)),
    "estimate": lambda proposer: proposer.estimate(["x"], 3),
    "summary": lambda proposer: proposer.summary(),
    "fingerprint": lambda proposer: proposer.fingerprint,
    "calibration": lambda proposer: proposer.is_calibrated,
}
ERRORS = [
    ValueError("told to"),
    KeyError("told to"),
    OSError("told to"),
    SystemExit("told to"),
    StopIteration("told to"),
    GeneratorExit("told to"),
    BaseException("told to"),
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_what_it_raises_names_it_and_the_line(call: str, error: BaseException) -> None:
    says = f"failed with {type(error).__name__}: '?told to'?"

    with pytest.raises(
        ExtensionError, match=rf"'mine' .*{says} \(.*{HERE}.py, line \d+\)"
    ) as caught:
        CALLS[call](made("Raises", error=error))

    assert caught.value.__cause__ is error
    assert "\n" not in str(caught.value)


def test_an_error_of_thousands_of_lines_or_without_words_is_one_sentence() -> None:
    class Wordless(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    for error in (ValueError("line\n" * 100_000), Wordless()):
        with pytest.raises(ExtensionError, match=f"failed with {type(error).__name__}") as caught:
            made("Raises", error=error).propose(ITEMS)
        assert len(str(caught.value)) < 600
        assert "\n" not in str(caught.value)


def test_ctrl_c_is_no_failure() -> None:
    with pytest.raises(KeyboardInterrupt):
        made("Raises", error=KeyboardInterrupt()).propose(ITEMS)


@pytest.mark.parametrize(
    ("name", "settings", "says"),
    [
        ("Unbuilt", {"error": OSError("told to")}, r"failed with OSError: told to \(.*line \d+"),
        ("Unbuilt", {"error": SystemExit(0)}, "failed with SystemExit: 0"),
        ("Gives", {"toll": 3}, "has no setting 'toll'. Did you mean: told. It takes: rows, told,"),
        ("Gives", {"name": 3, "who": 4, "kind": 5}, "has no setting 'name'"),
        ("Nothing", {}, "has no propose"),
        ("FORTY_TWO", {}, "is 42; it must be a class"),
    ],
)
def test_what_cannot_be_built_is_named(name: str, settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ExtensionError, match=f"Proposer 'mine' .*{name}.*{says}"):
        made(name, **settings)


def test_a_missing_class_is_no_failure_of_it() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean: Gives"):
        made("Givse")


@pytest.mark.parametrize(
    "told", [{"x": EVEN}, {"x": NAN}, {1, 2}, [1], {"x": {(1, 2): 3}}, {"x": "\ud800"}]
)
def test_a_summary_that_json_cannot_hold_is_refused(told: Any) -> None:
    with pytest.raises(ExtensionError, match=r"'mine' .*: its summary\(\)"):
        made("Gives", told=told).summary()


def test_a_fingerprint_that_json_cannot_hold_is_refused() -> None:
    with pytest.raises(ExtensionError, match="its fingerprint cannot be stored as JSON"):
        _ = made("Gives", fingerprint=EVEN).fingerprint


UNIT = np.eye(2, 4)


class Embeds:
    """An embedder that gives what it is told to."""

    def __init__(self, device: str, **told: Any) -> None:
        self.told = {"dimension": 4, "max_tokens": 9, "fingerprint": {}, "rows": UNIT, **told}

    def __getattr__(self, name: str) -> Any:
        if name not in self.told:
            raise AttributeError(name)
        return self.told[name]

    def embed(self, texts: list[str]) -> Any:
        if isinstance(self.rows, BaseException):
            raise self.rows
        return self.rows

    def token_counts(self, texts: list[str]) -> Any:
        return self.rows


def test_unit_vectors_pass() -> None:
    embedder = make_embedder(f"{__name__}:Embeds", "cpu", {"rows": UNIT.tolist()})

    assert embedder.embed(["x", "y"]).tolist() == UNIT.tolist()


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (UNIT * np.nan, "not unit vectors for 2 of 2 items; that of 'x' is not finite"),
        (np.array([UNIT[0], [np.inf, 0, 0, 0]]), "1 of 2 .* 'y' is not finite"),
        (0 * UNIT, "has length 0. Divide each by its length"),
        (2 * UNIT, "has length 2"),
        (UNIT[:1], r"shape \(1, 4\); the shape must be \(2, 4\)"),
        (UNIT[:, :3], r"shape \(2, 3\)"),
        (None, "returned None"),
        (RuntimeError("told to"), r"failed with RuntimeError: told to \(.*line \d+"),
        (SystemExit(0), "failed with SystemExit: 0"),
    ],
)
def test_other_vectors_are_refused_by_the_name_of_the_embedder(rows: Any, says: str) -> None:
    embedder = make_embedder(f"{__name__}:Embeds", "cpu", {"rows": rows})

    with pytest.raises(ExtensionError, match=f"^Embedder '.*:Embeds' .*{says}"):
        embedder.embed(["x", "y"])


@pytest.mark.parametrize("name", ["dimension", "max_tokens"])
@pytest.mark.parametrize("value", [0, -1, 2.5, True, None, "8"])
def test_the_sizes_of_an_embedder_are_whole_numbers(name: str, value: Any) -> None:
    embedder = make_embedder(f"{__name__}:Embeds", "cpu", {name: value})

    with pytest.raises(ExtensionError, match=f"its {name} is .*; it must be a whole number"):
        getattr(embedder, name)


@pytest.mark.parametrize("counts", [None, [1], [1, np.nan], [-1, 1], ["a", "b"], 5])
def test_counts_of_tokens_are_one_for_each_text(counts: Any) -> None:
    embedder = make_embedder(f"{__name__}:Embeds", "cpu", {"rows": counts})

    with pytest.raises(ExtensionError, match=r"its token_counts\(\) returned"):
        embedder.token_counts(["x", "y"])
