"""Every draw has a stream of its own, and only one module numbers them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hilt.pipeline.workspace.random_streams import Stream, generator, seedless_generator

ROOT = Path(__file__).resolve().parents[3]
OWNER = ROOT / "pipeline" / "workspace" / "random_streams.py"
MODULES = sorted(
    path
    for folder in ("hilt", "pipeline", "proposers", "selectors", "review")
    for path in (ROOT / folder).rglob("*.py")
    if path != OWNER
)
MAKERS = ("default_rng", "SeedSequence", "RandomState", "Random", "Generator", "PCG64")


def made_in(path: Path) -> Iterator[ast.Call]:
    """The generators that a module makes."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in MAKERS:
                yield node


def is_drawn_or_given(seed: ast.expr) -> bool:
    """Whether a seed comes from elsewhere: a name, an attribute, or what a call gives."""
    return not any(isinstance(node, ast.List | ast.Tuple) for node in ast.walk(seed)) and not (
        isinstance(seed, ast.Constant | ast.BinOp)
    )


def test_no_two_streams_share_a_number() -> None:
    numbers = [stream.value for stream in Stream.__members__.values()]

    assert len(set(numbers)) == len(numbers) == len(Stream)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_other_module_makes_a_generator_from_numbers_of_its_own(path: Path) -> None:
    made = list(made_in(path))

    assert [call.lineno for call in made if not call.args] == []
    assert [call.lineno for call in made if not is_drawn_or_given(call.args[0])] == []


def test_what_is_drawn_in_a_workspace_stays_as_it_was() -> None:
    numbers = {
        "AUDIT": 1,
        "BATCH": 2,
        "TRAINING": 3,
        "AGREEMENT": 4,
        "LIMIT": 5,
        "ESTIMATE": 6,
        "BOOTSTRAP": 7,
        "GRAPH": 8,
        "CHECK": 9,
        "ADVANTAGE": 10,
        "COST": 11,
        "ORDER": 12,
        "MAP": 13,
        "SUCCESSION": 14,
    }

    assert {name: Stream[name].value for name in numbers} == numbers
    assert generator(3, Stream.BATCH, 4).random() == np.random.default_rng([3, 2, 4]).random()
    assert seedless_generator(Stream.GRAPH).random() == np.random.default_rng(8).random()
