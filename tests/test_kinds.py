"""Kinds and tasks are told apart in registries alone, so that a new one is an addition."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import hilt
from hilt.media.base import MEDIA
from hilt.pipeline.configuration.medium import MediumSection
from hilt.pipeline.configuration.proposer_kinds import ProposerSection
from hilt.pipeline.configuration.section import Custom, Section
from hilt.pipeline.configuration.selector_kinds import SelectorSection
from hilt.pipeline.configuration.student import KINDS, STUDENTS
from hilt.pipeline.configuration.task import TaskSection
from hilt.pipeline.releasing.columns.base import COLUMNS
from hilt.pipeline.runners.base import RUNNERS
from hilt.proposers.base import EMBEDDERS, PROPOSERS
from hilt.reading.table import OPENERS
from hilt.registry import Registry
from hilt.review.answers.base import FORMS
from hilt.review.base import EXCHANGES
from hilt.review.screen.parts import PARTS
from hilt.selectors.base import SELECTORS
from hilt.tasks.base import TASKS

ROOT = Path(hilt.__file__).resolve().parent.parent
FOLDERS = ("hilt", "pipeline", "proposers", "review", "selectors")
REGISTRIES: tuple[Registry, ...] = (
    *(TASKS, MEDIA, PROPOSERS, EMBEDDERS, SELECTORS, STUDENTS, RUNNERS),
    *(EXCHANGES, FORMS, COLUMNS),
)
NAMES = {name for registry in REGISTRIES for name in registry.built_in} | {*KINDS, *OPENERS, *PARTS}
# What holds a kind: a variable, an attribute or a key that is called so.
HOLDERS = {"kind", "task", "medium", "layout", "form", "column", "screen", "runner", "format"}
SECTIONS: set[type[Section]] = {Custom, TaskSection, MediumSection}
SECTIONS |= {*ProposerSection.__subclasses__(), *SelectorSection.__subclasses__()}
CLASSES = {path.rpartition(":")[2] for each in REGISTRIES for path in each.built_in.values()}
CLASSES |= {section.__name__ for section in SECTIONS} | {"OwnStudent"}

# Where sections, which stand for kinds, are told apart from classes of the user's own.
MECHANISM = {"pipeline/configuration/section.py"}
# Where `kind` is what a cell of a table holds: a text, an id or a label.
OF_CELLS = {f"hilt/reading/{name}.py" for name in ("values", "arrow_values", "json_rows")}

pytestmark = pytest.mark.skipif(not (ROOT / "selectors").is_dir(), reason="needs a checkout")


def modules() -> Iterator[tuple[str, ast.AST]]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if "__pycache__" not in path.parts:
                yield name, ast.parse(path.read_text(encoding="utf-8"))


def called(node: ast.AST) -> str:
    """What a value is called where it stands: the last name, attribute or key."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return called(node.value) if node.attr == "name" else node.attr
    if isinstance(node, ast.Subscript):
        return str(getattr(node.slice, "value", ""))
    if isinstance(node, ast.Call) and node.args:
        return str(getattr(node.args[0], "value", ""))
    return ""


def texts(node: ast.AST) -> set[object]:
    return {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}


def compares_kinds(node: ast.AST) -> bool:
    """`kind == "linear"`, and `kind in ("linear", "blend")`, either way round."""
    if not isinstance(node, ast.Compare):
        return False
    sides = [node.left, *node.comparators]
    holds = any(called(each) in HOLDERS for each in sides)
    plain = (ast.Constant, ast.Tuple, ast.List, ast.Set)
    return holds and any(texts(each) & NAMES for each in sides if isinstance(each, plain))


def matches(node: ast.AST) -> bool:
    """`match kind:`, and any other, for there is none that would have to stand."""
    return isinstance(node, ast.Match)


def tells_classes(node: ast.AST) -> bool:
    """`isinstance(student, LinearStudent)`, of all classes that a registry names."""
    if not (isinstance(node, ast.Call) and called(node.func) in ("isinstance", "issubclass")):
        return False
    return bool({called(each) for each in ast.walk(node.args[1])} & CLASSES)


def found_in(source: str) -> int:
    ways = (compares_kinds, matches, tells_classes)
    return sum(way(node) for node in ast.walk(ast.parse(source)) for way in ways)


@pytest.mark.parametrize(
    "source",
    [
        "if kind == 'linear': pass",
        "if 'single' != task.name: pass",
        "if config.task == 'single': pass",
        "x = section['kind'] in ('zero_shot', 'nli')",
        "y = embedder.get('kind', 'x') not in {'sentence_transformers'}",
        "match kind:\n    case 'linear': pass",
        "isinstance(student, LinearStudent | BlendedStudent)",
        "isinstance(section, (Rules, str))",
    ],
)
def test_what_tells_kinds_apart_is_seen(source: str) -> None:
    assert found_in(source) == 1


@pytest.mark.parametrize(
    "source",
    [
        "if row.kind == 'machine': pass",
        "if row.action == 'label': pass",
        "x = STUDENTS.is_own(kind) or kind == other.kind",
        "isinstance(value, str)",
    ],
)
def test_what_does_not_is_let_be(source: str) -> None:
    assert found_in(source) == 0


def test_kinds_and_tasks_are_told_apart_in_registries_alone() -> None:
    found = {
        f"{name}:{node.lineno}"
        for name, tree in modules()
        for node in ast.walk(tree)
        if (name not in OF_CELLS and compares_kinds(node))
        or matches(node)
        or (name not in MECHANISM and tells_classes(node))
        if isinstance(node, ast.expr | ast.stmt)
    }

    assert found == set()
