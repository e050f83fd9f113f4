"""One writer for many: grouped, and nobody suffers for another's mistake."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from hilt.pipeline.reviewing.desk.group_commit import GroupCommit


class CountingStore:
    """Counts transactions; what happens in one that fails is taken back."""

    def __init__(self) -> None:
        self.transactions = 0
        self.written: list[int] = []

    @contextmanager
    def writing(self) -> Iterator[Any]:
        self.transactions += 1
        before = list(self.written)
        try:
            yield self
        except Exception:
            self.written = before
            raise


async def nothing() -> None:
    pass


def write(number: int) -> Callable[[Any], int]:
    def operation(session: Any) -> int:
        session.written.append(number)
        return number

    return operation


def test_what_waits_together_is_written_in_one_transaction() -> None:
    store = CountingStore()

    async def work() -> list[int]:
        writer = GroupCommit(store, nothing)  # type: ignore[arg-type]
        writer.start()
        results = await asyncio.gather(*(writer.run(write(number)) for number in range(50)))
        await writer.stop()
        return results

    assert asyncio.run(work()) == list(range(50))
    assert store.written == list(range(50))
    assert store.transactions == 1


def test_an_operation_that_fails_harms_no_other() -> None:
    store = CountingStore()

    def fail(_session: object) -> None:
        raise ValueError("broken")

    async def work() -> list[object]:
        writer = GroupCommit(store, nothing)  # type: ignore[arg-type]
        writer.start()
        results = await asyncio.gather(
            writer.run(write(1)),
            writer.run(fail),
            writer.run(write(2)),
            return_exceptions=True,
        )
        await writer.stop()
        return list(results)

    results = asyncio.run(work())

    assert store.written == [1, 2]
    assert [type(result) for result in results] == [int, ValueError, int]


def test_stopping_writes_what_still_waits() -> None:
    store = CountingStore()

    async def work() -> None:
        writer = GroupCommit(store, nothing)  # type: ignore[arg-type]
        writer.start()
        waiting = asyncio.create_task(writer.run(write(7)))
        await asyncio.sleep(0)
        await writer.stop()
        await waiting

    asyncio.run(work())

    assert store.written == [7]


@pytest.mark.parametrize("also", [0, 1])
def test_everything_is_acknowledged_only_after_it_was_read_back(also: int) -> None:
    store, seen = CountingStore(), []

    async def committed() -> None:
        seen.append(list(store.written))

    async def work() -> None:
        writer = GroupCommit(store, committed)  # type: ignore[arg-type]
        writer.start()
        await writer.run(write(also))
        assert seen == [[also]]
        await writer.stop()

    asyncio.run(work())
