"""What requests to a language model cost, by its prices."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CHARACTERS_PER_TOKEN = 4  # of English prose, roughly; for estimates only
TEMPLATE_TOKENS = 64  # more than chat templates put around two messages


@dataclass(frozen=True, slots=True)
class Prices:
    """What a million tokens cost, in USD."""

    usd_per_million_input_tokens: float = 0
    usd_per_million_output_tokens: float = 0

    def cost_usd(self, input_tokens: float, output_tokens: float) -> float:
        """Return the price of so many tokens."""
        return (
            input_tokens * self.usd_per_million_input_tokens
            + output_tokens * self.usd_per_million_output_tokens
        ) / 1e6

    def __bool__(self) -> bool:
        return self.usd_per_million_input_tokens + self.usd_per_million_output_tokens > 0


def likely_input_tokens(body: Mapping[str, Any]) -> float:
    """Estimate the tokens of a request from its characters."""
    return sum(len(message["content"]) for message in body["messages"]) / CHARACTERS_PER_TOKEN


def most_input_tokens(body: Mapping[str, Any]) -> int:
    """Return a number that the tokens of a request do not exceed.

    A token stands for at least one byte of UTF-8 in every tokenizer that works on bytes, and
    the schema of the answer may count as input too.
    """
    sent = json.dumps([body["messages"], body.get("response_format")], ensure_ascii=False)
    return len(sent.encode("utf-8", "surrogatepass")) + TEMPLATE_TOKENS


@dataclass(slots=True)
class Budget:
    """What may be spent, and what is, with what is reserved for requests on their way.

    Attributes:
        limit_usd: None for no limit.
        spent_usd: So far.
    """

    limit_usd: float | None
    spent_usd: float = 0

    def fits(self, cost_usd: float) -> bool:
        """Say whether so much more may be spent."""
        return self.limit_usd is None or self.spent_usd + cost_usd <= self.limit_usd
