"""How answers stand in the cells of a file, of every form that hilt brings."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hilt.media.shown import Shown
from hilt.review.answers.base import FORMS, WrongCellError, form_of
from hilt.review.answers.json_cell import JsonForm
from hilt.review.base import EXCHANGES, Exchange
from hilt.tasks.base import Task
from hilt.tasks.single import Single
from hilt.types import Batch, BatchItem, Candidate, Decision, Part, Value
from hilt.values import value_of

LABELS = ("PER", "LOC")
SHOWN = Shown({"text": "Anna flew to Rome"})


class WithPlaces(Single):
    """A task whose answers have places, for what stands in files."""

    form = "json"


PLACES: Value = value_of(Part("LOC", (16, 20)), Part("PER", (0, 4)))
ANSWERS: dict[str, Value] = {"label": value_of("PER"), "json": PLACES}
MADE: dict[str, Callable[[], Task]] = {
    "label": lambda: Single(LABELS),
    "json": lambda: WithPlaces(LABELS),
}


@pytest.mark.parametrize("name", FORMS.built_in)
def test_what_a_form_writes_it_reads(name: str) -> None:
    form = form_of(MADE[name]())

    cells = form.write(ANSWERS[name])

    texts = {key: v if isinstance(v, str) else json.dumps(v) for key, v in cells.items()}
    assert set(cells) == set(form.fields)
    assert form.read(texts) == ANSWERS[name]


@pytest.mark.parametrize("name", FORMS.built_in)
@pytest.mark.parametrize("exchange_name", EXCHANGES.built_in)
def test_a_sheet_goes_out_and_comes_back_with_the_same_answers(
    tmp_path: Path, exchange_name: str, name: str
) -> None:
    task, value = MADE[name](), ANSWERS[name]
    proposal = tuple(Candidate(part, 0.75) for part in value)
    item = BatchItem(0, 7, "i7", SHOWN, "random", 0.5, False, proposal, None, value)
    batch, path = Batch(1, (item,)), tmp_path / f"sheet.{exchange_name}"
    exchange: Exchange = EXCHANGES.load(exchange_name)()

    exchange.write(batch, path, task, [Decision("i7", "label", value, "ann", 1)])
    (said,) = exchange.read(path, task, "ann").decisions
    exchange.write(batch, path, task)
    untouched = exchange.read(path, task, "ann")

    assert (said.action, said.value, said.reviewer) == ("label", value, "ann")
    assert (untouched.unanswered, untouched.rejections, untouched.remarks) == (1, (), 0)


def test_no_part_at_all_is_an_answer() -> None:
    assert JsonForm(WithPlaces(LABELS)).read({"answer": "[]"}) == ()


@pytest.mark.parametrize("cell", ["PER", "{", '{"PER": 1}', "[1]", '[["PER", "x"]]', "[" * 9999])
def test_what_is_no_answer_is_refused_with_an_example(cell: str) -> None:
    with pytest.raises(WrongCellError, match=r'must be a list of labels as JSON, such as \["PER"'):
        JsonForm(WithPlaces(LABELS)).read({"answer": cell})
