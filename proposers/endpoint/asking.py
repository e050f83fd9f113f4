"""Gets the answers to many requests: from the cache, or from the server within the budget."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hilt.errors import ModelError
from hilt.proposers.endpoint.chat import Chat, Unanswered
from hilt.proposers.endpoint.paid_answers import PaidAnswers, Reply
from hilt.proposers.endpoint.pricing import Budget, Prices

if TYPE_CHECKING:
    from openai import AsyncOpenAI

MAX_IN_A_ROW = 10  # unanswered requests after which the server is given up


@dataclass(frozen=True, slots=True)
class Request:
    """One request for one answer.

    Attributes:
        key: A hash of all that decides the answer.
        body: What is sent.
        worst_usd: What it cannot cost more than, each time that it is sent.
    """

    key: str
    body: Mapping[str, Any]
    worst_usd: float = 0


@dataclass(slots=True)
class Tally:
    """What an `Asker` counts.

    Attributes:
        requests: How many were sent, not counting those sent again.
        from_cache: How many needed not be sent.
        input_tokens: Tokens of what was sent, as the server counts them.
        output_tokens: Tokens of what came back.
        cost_usd: What all of it cost.
        unanswered: Requests without an answer, by kind.
    """

    requests: int = 0
    from_cache: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0
    unanswered: Counter[str] = field(default_factory=Counter)


class Asker:
    """Asks a server once for each answer, and keeps it.

    Args:
        chat: The server and the model.
        store: Where answers and spending are kept.
        prices: What tokens cost.
        max_cost_usd: Most that may be spent on this model; None for no limit.
        concurrency: Requests on their way at one time.

    Attributes:
        tally: What was counted so far.
        over_budget: Keys of the requests that the budget did not allow in the latest call.
    """

    def __init__(
        self,
        chat: Chat,
        store: PaidAnswers,
        prices: Prices,
        max_cost_usd: float | None = None,
        concurrency: int = 8,
    ) -> None:
        self.chat = chat
        self.database = store
        self.prices = prices
        self.max_cost_usd = max_cost_usd
        self.concurrency = concurrency
        self.tally = Tally()
        self.over_budget: set[str] = set()
        self._in_a_row: list[Unanswered] = []  # since the last answer

    @property
    def spent_usd(self) -> float:
        """What this model has cost in the lifetime of the store."""
        return self.database.spent(self._account)

    def replies(self, requests: Sequence[Request]) -> dict[str, Reply]:
        """Return the replies to requests by their keys, as far as they were to be had.

        Args:
            requests: In the order in which to ask, their keys distinct.

        Raises:
            MissingExtraError: If `openai` is not installed.
            ModelError: If the server cannot be reached, refuses the key or the model, or leaves
                requests unanswered time and again. What was answered is kept.
        """
        found = {request.key: self.database.get(request.key) for request in requests}
        replies = {key: reply for key, reply in found.items() if reply is not None}
        self.tally.from_cache += len(replies)
        self.over_budget = set()
        missing = [request for request in requests if request.key not in replies]
        if missing:
            _run(lambda: self._ask_all(missing, replies))
        return replies

    @property
    def _account(self) -> str:
        return f"{self.chat.url} {self.chat.model}"

    async def _ask_all(self, requests: Sequence[Request], replies: dict[str, Reply]) -> None:
        """Ask in order until the next request would not fit the budget."""
        budget = Budget(self.max_cost_usd, self.spent_usd)
        pending: set[asyncio.Task[None]] = set()
        async with self.chat.connect() as client:
            try:
                for place, request in enumerate(requests):
                    most = self._most_usd(request)
                    while pending and (len(pending) >= self.concurrency or not budget.fits(most)):
                        pending = await _some_done(pending)
                    if not budget.fits(most):
                        self.over_budget = {request.key for request in requests[place:]}
                        break
                    budget.spent_usd += most
                    self.database.reserve(request.key, self._account, most)
                    pending.add(asyncio.create_task(self._ask(client, request, budget, replies)))
                while pending:
                    pending = await _some_done(pending)
            except ModelError:
                await asyncio.gather(*pending, return_exceptions=True)  # they are paid for
                raise
        if self._in_a_row and not replies and not self._ever_answered():
            raise self._in_a_row[-1]

    async def _ask(
        self, client: AsyncOpenAI, request: Request, budget: Budget, replies: dict[str, Reply]
    ) -> None:
        self.tally.requests += 1
        started = time.monotonic()
        try:
            reply = await self.chat.ask(client, request.body)
        except ModelError as error:
            self._settle(request, budget, time.monotonic() - started, None)
            if not isinstance(error, Unanswered):
                raise
            self.tally.unanswered[error.kind] += 1
            self._in_a_row.append(error)
            if len(self._in_a_row) >= MAX_IN_A_ROW:
                raise
        else:
            self._settle(request, budget, time.monotonic() - started, reply)
            replies[request.key] = reply
            self._in_a_row.clear()

    def _settle(
        self, request: Request, budget: Budget, seconds: float, reply: Reply | None
    ) -> None:
        """Put what a request cost in the place of what was reserved for it.

        An attempt that timed out may have been answered, and billed, after nobody listened any
        more: as many as the time allows count at the worst price.
        """
        attempts = 1 + self.chat.retries
        cost = min(attempts, int(seconds / self.chat.timeout_seconds)) * request.worst_usd
        if reply is not None:
            cost += self._price_usd(reply, request)
            self.tally.input_tokens += reply.input_tokens or 0
            self.tally.output_tokens += reply.output_tokens or 0
        self.tally.cost_usd += cost
        correction = cost - self._most_usd(request)
        budget.spent_usd += correction
        self.database.settle(request.key, correction, reply)

    def _price_usd(self, reply: Reply, request: Request) -> float:
        if reply.input_tokens is None or reply.output_tokens is None:
            return request.worst_usd
        return self.prices.cost_usd(reply.input_tokens, reply.output_tokens)

    def _most_usd(self, request: Request) -> float:
        return request.worst_usd * (1 + self.chat.retries)

    def _ever_answered(self) -> bool:
        answered = self.tally.requests - self.tally.unanswered.total()
        return answered + self.tally.from_cache > 0


async def _some_done(pending: set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
    """Wait for one task at least, and return those that still run.

    Raises:
        ModelError: The error of one that failed.
    """
    done, running = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
    errors = [error for task in done if (error := task.exception()) is not None]
    if errors:
        raise errors[0]
    return running


def _run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine to its end, in a notebook too, where a loop runs in this thread already."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(main())
        return
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, main()).result()
