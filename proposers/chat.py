"""Talks to a server that speaks OpenAI's chat protocol, and says plainly what went wrong."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hilt.errors import MissingExtraError, ModelError
from hilt.extras import pip_install
from hilt.proposers.answers import Reply

if TYPE_CHECKING:
    from openai import APIConnectionError, APIStatusError, AsyncOpenAI

# Some models refuse one of these with a 400 or 422; what takes its place.
REPLACEMENTS = {"max_tokens": "max_completion_tokens", "temperature": None, "seed": None}
MOST_SHOWN = 300  # characters of a server's message


class Unanswered(ModelError):
    """One request that was not answered, where the next one may be.

    Attributes:
        kind: `timeout`, `malformed response`, or the status (`status 400`).
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(slots=True)
class Chat:
    """A model behind a server.

    Attributes:
        url: Up to and without `/chat/completions`.
        model: Its name there.
        api_key_variable: The environment variable with the key.
        timeout_seconds: How long to wait for one answer.
        retries: How often a request is sent again after a 408, 409, 429 or 5xx, a timeout or a
            lost connection: after 0.5 seconds, then twice as long each time up to 8, or after
            what the server's Retry-After says.
        not_accepted: Parameters that the server refused, and that are no longer sent.
    """

    url: str
    model: str
    api_key_variable: str = "OPENAI_API_KEY"
    timeout_seconds: float = 60
    retries: int = 5
    not_accepted: set[str] = field(default_factory=set)

    def connect(self) -> AsyncOpenAI:
        """Return a client, to be used with `async with`.

        Raises:
            MissingExtraError: If `openai` is not installed.
        """
        try:
            from openai import AsyncOpenAI
        except ImportError:
            raise MissingExtraError(
                "A proposer of kind `endpoint` needs the package openai; install it with"
                f" {pip_install('endpoint')}."
            ) from None
        return AsyncOpenAI(
            base_url=self.url,
            api_key=os.environ.get(self.api_key_variable) or "none",  # the client insists on one
            timeout=self.timeout_seconds,
            max_retries=self.retries,
        )

    async def ask(self, client: AsyncOpenAI, body: Mapping[str, Any]) -> Reply:
        """Send one request, and again without a parameter that this model does not take.

        Args:
            client: From `connect`.
            body: What `/chat/completions` takes, but for the model.

        Raises:
            ModelError: If nothing answers there, or the key or the model's name is wrong.
            Unanswered: If this request was not answered.
        """
        import openai

        while True:
            accepted = self._accepted(body)
            try:
                completion = await client.chat.completions.create(model=self.model, **accepted)
                return self._reply(completion)
            except openai.APITimeoutError:
                raise Unanswered("timeout", self._timeout_message()) from None
            except openai.APIConnectionError as error:
                raise ModelError(self._connection_message(error)) from None
            except (openai.APIResponseValidationError, json.JSONDecodeError):
                raise self._malformed() from None
            except openai.APIStatusError as error:
                refused = _refused(accepted, error)
                if not refused:
                    raise self._status_error(error) from None
                self.not_accepted |= refused

    def _accepted(self, body: Mapping[str, Any]) -> dict[str, Any]:
        accepted = {}
        for name, value in body.items():
            name_there = REPLACEMENTS[name] if name in self.not_accepted else name
            if name_there is not None:
                accepted[name_there] = value
        return accepted

    def _reply(self, completion: Any) -> Reply:  # noqa: ANN401 - a server may send anything
        choices = getattr(completion, "choices", None)
        message = getattr(choices[0], "message", None) if choices else None
        if not choices or message is None:
            raise self._malformed()
        reason, usage = choices[0].finish_reason, getattr(completion, "usage", None)
        refusal = getattr(message, "refusal", None)
        return Reply(
            content=refusal or message.content or "",
            finish="refused"
            if refusal or reason == "content_filter"
            else "length"
            if reason == "length"
            else "stop",
            input_tokens=getattr(usage, "prompt_tokens", None),
            output_tokens=getattr(usage, "completion_tokens", None),
        )

    def _status_error(self, error: APIStatusError) -> ModelError:
        status = error.status_code
        said = error.message.removeprefix(f"Error code: {status} - ")[:MOST_SHOWN]
        if status == 401:
            return ModelError(
                f"{self.url} does not let you use the model {self.model!r} (status 401); put a"
                f" valid key into the environment variable {self.api_key_variable}. It said: {said}"
            )
        if status == 404:
            return ModelError(
                f"{self.url} has no model {self.model!r}, or is not the address of a chat server"
                f" (status 404); correct `model` or `url`. It said: {said}"
            )
        return Unanswered(f"status {status}", self._status_message(status, said))

    def _status_message(self, status: int, said: str) -> str:
        why = f"status {status}"
        todo = "correct the settings; a server without `response_format` needs `structured: false`"
        if status == 429 or status >= 500:
            why += f", with {self.retries} retries"
            todo = "see to the server, then run this again: what was answered is kept"
        return (
            f"{self.url} did not answer a request to the model {self.model!r} ({why}); {todo}."
            f" It said: {said}"
        )

    def _timeout_message(self) -> str:
        return (
            f"{self.url} did not answer a request to the model {self.model!r} within"
            f" {self.timeout_seconds:g} seconds, with {self.retries} retries; raise"
            " `timeout_seconds` or lower `concurrency`. What was answered is kept."
        )

    def _connection_message(self, error: APIConnectionError) -> str:
        return (
            f"Nothing answers at {self.url}, asked for the model {self.model!r}"
            f" ({error.__cause__ or error}); start the server or correct `url`, then run this"
            " again: what was answered is kept."
        )

    def _malformed(self) -> Unanswered:
        return Unanswered(
            "malformed response",
            f"{self.url} did not answer a request to the model {self.model!r} as OpenAI's chat"
            " protocol says; correct `url`, which should mostly end in /v1.",
        )


def _refused(sent: Mapping[str, Any], error: APIStatusError) -> set[str]:
    """Find the parameters that a server says, by their names in quotes, it does not take."""
    if error.status_code not in (400, 422):
        return set()
    return {name for name in REPLACEMENTS if name in sent and repr(name) in str(error)}
