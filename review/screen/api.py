"""The review screen as a web application: what its pages ask for and report."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from hilt.review.screen.protocol import Answer, Desk, Item, Method, Person
from hilt.review.screen.visitor import current_person

MAX_ITEMS = 50
MAX_ANSWERS = 1000

api = APIRouter(prefix="/api")
CurrentPerson = Annotated[Person, Depends(current_person)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AnswersBody(_Body):
    """Answers in the order in which they were given."""

    answers: list[Answer] = Field(min_length=1, max_length=MAX_ANSWERS)


class ItemsBody(_Body):
    """What a page has in hand, and how much it would like to have."""

    holding: list[Item] = Field(max_length=2 * MAX_ITEMS)
    count: int = Field(ge=0, le=MAX_ITEMS)


class ReleaseBody(_Body):
    """What a page leaves undecided."""

    items: list[Item] = Field(max_length=2 * MAX_ITEMS)


class GroupBody(_Body):
    """The first items of the groups that were passed over."""

    skipped: list[Item] = Field(max_length=100_000)


class SettleBody(_Body):
    """The rule that is to settle disagreements."""

    method: Method


# Both are coroutines, or FastAPI would hand every request to a thread and back.
async def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


async def _adjudicator(person: CurrentPerson) -> Person:
    if not person.adjudicator:
        raise HTTPException(403, "Only an adjudicator may do that.")
    return person


CurrentDesk = Annotated[Desk, Depends(_desk)]
Adjudicator = Annotated[Person, Depends(_adjudicator)]


@api.post("/items")
async def items(body: ItemsBody, person: CurrentPerson, desk: CurrentDesk) -> Response:
    """Give items; to who has nothing in hand then, a summary."""
    served = await desk.serve(person, body.holding, body.count)
    nothing = not (served.kept or served.items)
    return _json(
        {
            "kept": served.kept,
            "items": served.items,
            "standing": desk.standing(person),
            "summary": await desk.summary(person) if nothing else None,
        }
    )


@api.post("/release", status_code=204)
async def release(body: ReleaseBody, person: CurrentPerson, desk: CurrentDesk) -> None:
    """Take items back."""
    await desk.release(person, body.items)


@api.post("/answers")
async def answers(body: AnswersBody, person: CurrentPerson, desk: CurrentDesk) -> Response:
    """Store answers; what has a receipt is safe."""
    receipts = await desk.record(person, body.answers)
    return _json({"receipts": receipts, "standing": desk.standing(person)})


@api.get("/past")
async def past(
    person: CurrentPerson, desk: CurrentDesk, before: str | None = None, count: int = 20
) -> Response:
    """List earlier answers, so that they can be taken back."""
    return _json({"past": desk.past(person, before, min(max(count, 1), MAX_ITEMS))})


@api.post("/group")
async def group(body: GroupBody, person: CurrentPerson, desk: CurrentDesk) -> Response:
    """Give many items of one proposed label; where there are none, a summary."""
    found = await desk.group(person, frozenset(body.skipped))
    return _json(
        {
            "group": found,
            "standing": desk.standing(person),
            "summary": None if found else await desk.summary(person),
        }
    )


@api.post("/next", status_code=202)
async def begin_next(person: Adjudicator, desk: CurrentDesk) -> Response:
    """Do in the background what comes next: train on what was said, select the next items."""
    desk.begin_next()
    return _json({"standing": desk.standing(person)})


@api.get("/disputes")
async def disputes(person: Adjudicator, desk: CurrentDesk) -> Response:
    """List what reviewers disagree on."""
    found = desk.disputes()
    doubt = desk.doubt_of_skill() if found else ""
    return _json({"disputes": found, "doubt": doubt, "standing": desk.standing(person)})


@api.post("/adjudications")
async def adjudications(body: AnswersBody, person: Adjudicator, desk: CurrentDesk) -> Response:
    """Store what settles disagreements."""
    receipts = await desk.adjudicate(person, body.answers)
    return _json({"receipts": receipts, "standing": desk.standing(person)})


@api.post("/settle")
async def settle(body: SettleBody, person: Adjudicator, desk: CurrentDesk) -> Response:
    """Settle by a rule what it can."""
    settled = await desk.settle(body.method)
    return _json({"settled": settled, "standing": desk.standing(person)})


@cache
def _any_value() -> TypeAdapter[Any]:
    return TypeAdapter(Any)


def _json(value: dict[str, Any]) -> Response:
    return Response(_any_value().dump_json(value), media_type="application/json")
