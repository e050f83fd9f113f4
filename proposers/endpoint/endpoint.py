"""Labels proposed by a language model behind an OpenAI-compatible server."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hilt.proposers.base import Context
from hilt.proposers.endpoint.asking import Asker, Request
from hilt.proposers.endpoint.chat import Chat
from hilt.proposers.endpoint.label_question import BadAnswer, LabelQuestion
from hilt.proposers.endpoint.paid_answers import PaidAnswers, Reply
from hilt.proposers.endpoint.pricing import (
    CHARACTERS_PER_TOKEN,
    Prices,
    likely_input_tokens,
    most_input_tokens,
)
from hilt.types import Floats, Items

SAMPLING_TEMPERATURE = 0.7  # when several answers are asked for and no temperature is set
MAX_EXAMPLES = 5
EXAMPLE_CHARACTERS = 200


def counts_to_proposal(counts: Floats, confidence: float) -> Floats:
    """Turn how often each label was answered into distributions.

    Every answer is taken to be right with probability `confidence`, and wrong in favour of each
    other label equally often; the proposal is the mean over the answers. So a label with a
    share s of them gets confidence * s + (1 - confidence) * (1 - s) / (n_labels - 1).

    Args:
        counts: Shape (n, n_labels), the valid answers that name each label; n_labels >= 2.
        confidence: Probability of a label that all answers agree on.

    Returns:
        Shape (n, n_labels), float32; rows sum to 1, or are NaN where no answer was valid.

    Example:
        >>> counts_to_proposal(np.array([[2, 0, 0], [1, 1, 0]]), 0.75).tolist()
        [[0.75, 0.125, 0.125], [0.4375, 0.4375, 0.125]]
    """
    totals = counts.sum(axis=1, keepdims=True)  # (n, 1)
    shares = np.divide(counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0)
    others = (1 - confidence) * (1 - shares) / (counts.shape[1] - 1)
    proposal: Floats = (confidence * shares + others).astype(np.float32)
    return proposal


class Endpoint:
    """Proposes what a language model behind a server answers.

    Args:
        context: The labels, and the folder in which answers are kept.
        url: Where the server is, up to and without `/chat/completions`.
        model: The model's name there.
        api_key_variable: The environment variable with the key; it may be absent.
        instructions: What the model is told before the labels.
        answers: Answers for each item.
        temperature: Of the sampling; None for 0 with one answer and 0.7 with several.
        structured: Whether to ask for JSON that holds to a schema.
        confidence: Probability of a label that all answers agree on, in (0.5, 1).
        max_answer_tokens: Longest answer.
        max_characters: Texts are cut after so many.
        concurrency: Requests on their way at one time.
        retries: How often a failed request is sent again.
        timeout_seconds: How long to wait for one answer.
        usd_per_million_input_tokens: Price of what is sent.
        usd_per_million_output_tokens: Price of what comes back.
        max_cost_usd: Most that may be spent on this model, in the lifetime of the cache.
    """

    tasks = ("single",)
    media = ("text",)
    reads_embeddings = False

    def __init__(
        self,
        context: Context,
        *,
        url: str,
        model: str,
        api_key_variable: str = "OPENAI_API_KEY",
        instructions: str = "Classify the text into exactly one of the labels.",
        answers: int = 1,
        temperature: float | None = None,
        structured: bool = True,
        confidence: float = 0.9,
        max_answer_tokens: int = 64,
        max_characters: int = 8000,
        concurrency: int = 8,
        retries: int = 5,
        timeout_seconds: float = 60,
        usd_per_million_input_tokens: float = 0,
        usd_per_million_output_tokens: float = 0,
        max_cost_usd: float | None = None,
    ) -> None:
        self.question = LabelQuestion(context.labels, instructions, structured)
        self.answers = answers
        default = 0.0 if answers == 1 else SAMPLING_TEMPERATURE
        self.temperature = default if temperature is None else temperature
        self.confidence = confidence
        self.max_answer_tokens = max_answer_tokens
        self.max_characters = max_characters
        self.asker = Asker(
            Chat(url.rstrip("/"), model, api_key_variable, timeout_seconds, retries),
            PaidAnswers(context.cache),
            Prices(usd_per_million_input_tokens, usd_per_million_output_tokens),
            max_cost_usd,
            concurrency,
        )
        self._abstained = 0
        self._over_budget = 0
        self._bad_answers: Counter[str] = Counter()
        self._examples: dict[str, None] = {}  # distinct, in the order of their coming

    def propose(self, items: Items) -> Floats:
        """Ask about every item, but for what was answered before.

        Args:
            items: n items; their embeddings are not used.

        Returns:
            Shape (n, n_labels), float32; rows sum to 1, or are NaN where no answer was valid.

        Raises:
            MissingExtraError: If `openai` is not installed.
            ModelError: If the server cannot be reached, refuses the key or the model, or leaves
                requests unanswered time and again. What was answered is kept.
        """
        asked = [self._requests(text) for text in items.texts]
        distinct = {request.key: request for requests in asked for request in requests}
        replies = self.asker.replies(list(distinct.values()))
        counts = np.zeros((len(items), len(self.question.labels)))
        for row, requests in zip(counts, asked, strict=True):
            for request in requests:
                position = self._position(replies.get(request.key))
                if position is not None:
                    row[position] += 1
            self._over_budget += any(request.key in self.asker.over_budget for request in requests)
        self._abstained += int((counts.sum(axis=1) == 0).sum())
        return counts_to_proposal(counts, self.confidence)

    def has_answers(self, texts: Sequence[str]) -> bool:
        """Tell whether every request about these texts was answered before."""
        keys = (request.key for text in texts for request in self._requests(text))
        return all(self.asker.database.get(key) is not None for key in keys)

    def estimate(self, texts: Sequence[str], n_items: int) -> str:
        """Say in a sentence what proposing would take, before it is done.

        Args:
            texts: A random sample of what it would be asked.
            n_items: How many items it would be asked in all.
        """
        sample = [request for text in texts for request in self._requests(text)]
        new = [request for request in sample if self.asker.database.get(request.key) is None]
        number = n_items * self.answers * len(new) / max(len(sample), 1)
        each = sum(likely_input_tokens(request.body) for request in new) / max(len(new), 1)
        sent, back = number * each, number * self._likely_answer_tokens()
        return (
            f"About {number:,.0f} requests to {self.asker.chat.model} at"
            f" {self.asker.chat.address}, with about {sent:,.0f} tokens sent and {back:,.0f}"
            f" received (an estimate, from {CHARACTERS_PER_TOKEN} characters per token),"
            f" {self._estimate_usd(sent, back)}"
        )

    def summary(self) -> dict[str, Any]:
        """Return what was asked, answered and spent since this proposer was built.

        `failures` are the answers that are none, by kind; `spent_usd` is what was spent on this
        model in the lifetime of the cache; `over_budget` counts items; `not_accepted` names
        parameters that the model refused and that were left out.
        """
        tally = self.asker.tally
        return {
            "requests": tally.requests,
            "answers_from_cache": tally.from_cache,
            "failures": dict(sorted((self._bad_answers + tally.unanswered).items())),
            "abstained": self._abstained,
            "over_budget": self._over_budget,
            "input_tokens": tally.input_tokens,
            "output_tokens": tally.output_tokens,
            "cost_usd": tally.cost_usd,
            "spent_usd": self.asker.spent_usd,
            "not_accepted": sorted(self.asker.chat.not_accepted),
            "examples": list(self._examples),
        }

    def _requests(self, text: str) -> list[Request]:
        """Return the requests about a text, one for each answer."""
        body: dict[str, Any] = {
            "messages": self.question.messages(text[: self.max_characters]),
            "temperature": self.temperature,
            "max_tokens": self.max_answer_tokens,
        }
        if self.question.structured:
            body["response_format"] = self.question.response_format
        worst = self.asker.prices.cost_usd(most_input_tokens(body), self.max_answer_tokens)
        seeds = [{"seed": number} if self.temperature else {} for number in range(self.answers)]
        return [
            Request(self._key(body, number), body | seed, worst)
            for number, seed in enumerate(seeds)
        ]

    def _key(self, body: Mapping[str, Any], number: int) -> str:
        chat = self.asker.chat
        decisive = json.dumps([chat.url, chat.model, body, number], sort_keys=True)
        return hashlib.sha256(decisive.encode()).hexdigest()

    def _position(self, reply: Reply | None) -> int | None:
        """Return the label that a reply names; count it as a failure if it names none."""
        if reply is None:
            return None
        try:
            if reply.finish != "stop":
                raise BadAnswer("truncated" if reply.finish == "length" else "refused")
            return self.question.read(reply.content)
        except BadAnswer as bad:
            self._bad_answers[bad.kind] += 1
            if len(self._examples) < MAX_EXAMPLES:
                self._examples[f"{bad.kind}: {reply.content[:EXAMPLE_CHARACTERS]}"] = None
            return None

    def _likely_answer_tokens(self) -> float:
        names = [label.name for label in self.question.labels]
        around = len('{"label": ""}') if self.question.structured else 0
        characters = sum(map(len, names)) / len(names) + around
        return min(characters / CHARACTERS_PER_TOKEN, self.max_answer_tokens)

    def _estimate_usd(self, input_tokens: float, output_tokens: float) -> str:
        prices, limit = self.asker.prices, self.asker.max_cost_usd
        if not prices:
            return "at an unknown price."
        cost = f"for about USD {prices.cost_usd(input_tokens, output_tokens):,.2f}"
        if limit is None:
            return f"{cost}, without a budget."
        return (
            f"{cost}, with a budget of USD {limit:,.2f}, {self.asker.spent_usd:,.2f} of it spent."
        )
