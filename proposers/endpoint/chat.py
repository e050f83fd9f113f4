"""Talks to a server that speaks OpenAI's chat protocol, and says plainly what went wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from hilt.errors import ConfigError, MissingExtraError, ModelError
from hilt.extras import pip_install
from hilt.proposers.endpoint.bounded_client import TooLongError
from hilt.proposers.endpoint.paid_answers import Reply
from hilt.reading.json_values import decode

if TYPE_CHECKING:
    from openai import APIConnectionError, APIStatusError, AsyncOpenAI

# Some models refuse one of these with a 400 or 422; what takes its place.
REPLACEMENTS = {"max_tokens": "max_completion_tokens", "temperature": None, "seed": None}
MAX_SHOWN = 300  # characters of a server's message
MAX_TOKENS = 10**9  # of one request; a server that says more is mistaken


class Unanswered(ModelError):
    """One request that was not answered, where the next one may be.

    Attributes:
        kind: `timeout`, `malformed response`, `answer without an end`, or the status
            (`status 400`).
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

    @property
    def address(self) -> str:
        """The URL for messages, without a password that stands in it."""
        parts = urlsplit(self.url)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))

    def connect(self) -> AsyncOpenAI:
        """Return a client, to be used with `async with`.

        Raises:
            ConfigError: If the key cannot be one.
            MissingExtraError: If `openai` is not installed.
            ModelError: If the URL is none.
        """
        try:
            from openai import AsyncOpenAI

            from hilt.proposers.endpoint.bounded_client import bounded_client, http_library
        except ImportError:
            raise MissingExtraError(
                "A proposer of kind `endpoint` needs the package openai; install it with"
                f" {pip_install('endpoint')}."
            ) from None
        try:
            return AsyncOpenAI(
                base_url=self.url,
                api_key=self._key() or "none",  # the client insists on one
                timeout=self.timeout_seconds,
                max_retries=self.retries,
                http_client=bounded_client(self.timeout_seconds),
            )
        except http_library().InvalidURL as error:
            raise ModelError(
                f"{self.address!r} is not an address: {error}; correct `url`."
            ) from None

    def _key(self) -> str:
        key = os.environ.get(self.api_key_variable, "").strip()
        if not (key.isascii() and key.isprintable()):
            raise ConfigError(
                f"The environment variable {self.api_key_variable} contains a character that no"
                " key may have, such as a line break or a letter with an accent; set it"
                " again."
            )
        return key

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

        chat = client.chat.completions.with_raw_response
        while True:
            accepted = self._accepted(body)
            try:
                response = await chat.create(model=self.model, **accepted)
                return self._reply(response.http_response.content)
            except openai.APITimeoutError:
                raise Unanswered("timeout", self._timeout_message()) from None
            except openai.APIConnectionError as error:
                if isinstance(error.__cause__, TooLongError):
                    raise self._malformed("answer without an end") from None
                raise ModelError(self._connection_message(error)) from None
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

    def _reply(self, content: bytes) -> Reply:
        """Read a completion; a server may send anything.

        Raises:
            Unanswered: If it is none.
        """
        try:
            completion = decode(content.decode())
        except (ValueError, RecursionError):
            raise self._malformed() from None
        choices = _field(completion, "choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        message = _field(choice, "message")
        if not isinstance(message, Mapping):
            raise self._malformed()
        reason, usage = _field(choice, "finish_reason"), _field(completion, "usage")
        refusal = _field(message, "refusal")
        return Reply(
            content=_words(refusal or _field(message, "content")),
            finish="refused"
            if refusal or reason == "content_filter"
            else "length"
            if reason == "length"
            else "stop",
            input_tokens=_tokens(usage, "prompt_tokens"),
            output_tokens=_tokens(usage, "completion_tokens"),
        )

    def _status_error(self, error: APIStatusError) -> ModelError:
        status = error.status_code
        said = error.message.removeprefix(f"Error code: {status} - ")[:MAX_SHOWN]
        if status == 401:
            return ModelError(
                f"{self.address} does not let you use the model {self.model!r} (status 401); put a"
                f" valid key into the environment variable {self.api_key_variable}. It said: {said}"
            )
        if status == 404:
            return ModelError(
                f"{self.address} has no model {self.model!r}, or is not the address of a chat"
                f" server (status 404); correct `model` or `url`. It said: {said}"
            )
        return Unanswered(f"status {status}", self._status_message(status, said))

    def _status_message(self, status: int, said: str) -> str:
        why = f"status {status}"
        todo = "correct the settings; a server without `response_format` needs `structured: false`"
        if status == 429 or status >= 500:
            why += f", with {self.retries} retries"
            todo = "check the server, then run this again: the answers so far are kept"
        return (
            f"{self.address} did not answer a request to the model {self.model!r} ({why}); {todo}."
            f" It said: {said}"
        )

    def _timeout_message(self) -> str:
        return (
            f"{self.address} did not answer a request to the model {self.model!r} within"
            f" {self.timeout_seconds:g} seconds, with {self.retries} retries; raise"
            " `timeout_seconds` or lower `concurrency`. The answers so far are kept."
        )

    def _connection_message(self, error: APIConnectionError) -> str:
        return (
            f"Nothing answers at {self.address}, asked for the model {self.model!r}"
            f" ({error.__cause__ or error}); start the server or correct `url`, then run this"
            " again: the answers so far are kept."
        )

    def _malformed(self, kind: str = "malformed response") -> Unanswered:
        return Unanswered(
            kind,
            f"{self.address} did not answer a request to the model {self.model!r} in the form of"
            f" OpenAI's chat protocol ({kind}); correct `url`, which usually ends in /v1.",
        )


def _field(value: Any, name: str) -> Any:  # noqa: ANN401 - of whatever a server sent
    return value.get(name) if isinstance(value, Mapping) else None


def _words(content: Any) -> str:  # noqa: ANN401 - a server may send anything
    """Make a text of what should be one, that any database can hold."""
    nothing = "" if content is None else f"a {type(content).__name__} instead of a text"
    words = content if isinstance(content, str) else nothing
    return words.encode("utf-8", "replace").decode()


def _tokens(usage: Any, name: str) -> int | None:  # noqa: ANN401 - a server may send anything
    """Read a number of tokens; what can be none was not said."""
    count = _field(usage, name)
    if not isinstance(count, int) or isinstance(count, bool):
        return None
    return count if 0 <= count <= MAX_TOKENS else None


def _refused(sent: Mapping[str, Any], error: APIStatusError) -> set[str]:
    """Find the parameters that a server says, by their names in quotes, it does not take."""
    if error.status_code not in (400, 422):
        return set()
    return {name for name in REPLACEMENTS if name in sent and repr(name) in str(error)}
