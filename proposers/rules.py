"""Labels proposed by rules of thumb: keywords, regular expressions and Python functions."""

from __future__ import annotations

import inspect
import re
import sys
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt
import regex

from hilt.distributions import softmax
from hilt.errors import ConfigError, UnknownNameError
from hilt.own_code import place_of, shortened
from hilt.proposers.base import Context
from hilt.reading.names import label_listing
from hilt.registry import import_object, nearest
from hilt.types import Floats, Integers, Items

Votes = npt.NDArray[np.int16]

ABSTAINS = -1
MAX_EXCERPT_LENGTH = 80  # characters of a text that an error message shows
MAX_WAIT_SECONDS = 5  # of the processor, for one pattern in one text; most take microseconds

# Scripts that put no space between words, so that a word may start and end anywhere.
UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")


@dataclass(frozen=True, slots=True)
class Rule:
    """One labelling function, as its section of the configuration says it.

    Attributes:
        label: The label it votes for; only a function can do without.
        keywords: Words or phrases, any of which makes it vote.
        pattern: A regular expression that makes it vote.
        function: `package.module:function`, called with the text.
        confidence: How often it is right, in (0, 1).
        name: What to call it.
    """

    label: str | None = None
    keywords: Sequence[str] = ()
    pattern: str | None = None
    function: str | None = None
    confidence: float = 0.8
    name: str | None = None

    @property
    def title(self) -> str:
        """Its name, or what it looks for."""
        return self.name or self.pattern or self.function or ", ".join(self.keywords)


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule that is ready to vote.

    Attributes:
        title: What to call it.
        confidence: How often it is right, in (0, 1).
        vote: Gives the position of a label, or -1 to abstain.
        folded: Whether `vote` wants the text with its case folded.
        source: What decides its votes and does not stand in the configuration.
    """

    title: str
    confidence: float
    vote: Callable[[str], int]
    folded: bool = False
    source: str = ""


def fold_case(text: str) -> str:
    r"""Set aside case, width and white space, as keywords are looked for.

    >>> fold_case("Zwei  STRAßEN,\n cafe\u0301s")
    'zwei strassen, cafés'
    """
    folded = text.lower() if text.isascii() else unicodedata.normalize("NFKC", text.casefold())
    return " ".join(folded.split())


def keyword_pattern(keywords: Sequence[str]) -> re.Pattern[str]:
    """Make a regular expression that finds any keyword as a whole word in a folded text.

    A keyword's edge is held to be a word's edge only where it is a letter or digit, so that
    "c++" is found before a full stop, and not at all in scripts that put no spaces.
    """
    return re.compile("|".join(_whole_word(fold_case(keyword)) for keyword in keywords))


def _whole_word(keyword: str) -> str:
    word = re.escape(keyword)
    # Looking back over the word itself lets `re` search for first letters: 8 times as fast.
    before = f"(?<!{_word_character()}{word})" if _is_bounded(keyword[0]) else ""
    after = f"(?!{_word_character()})" if _is_bounded(keyword[-1]) else ""
    return word + before + after


def _is_bounded(character: str) -> bool:
    word = re.match(_word_character(), character) is not None
    return word and not unicodedata.name(character, "").startswith(UNSPACED)


@cache
def _word_character() -> str:
    r"""Extend `\w` by the marks that many scripts write vowels with, which it leaves out."""
    plane = map(chr, range(0x10000))
    marks = "".join(mark for mark in plane if unicodedata.category(mark).startswith("M"))
    return rf"[\w{marks}]"


def compile_rules(rules: Sequence[Rule], labels: Sequence[str]) -> tuple[CompiledRule, ...]:
    """Make rules ready to vote.

    Args:
        rules: The rules.
        labels: The names of the task's labels, in their order.

    Raises:
        ConfigError: If a rule names a label that the task lacks, or a function that is not there.
    """
    return tuple(_compile(rule, labels) for rule in rules)


def _compile(rule: Rule, labels: Sequence[str]) -> CompiledRule:
    title, confidence = rule.title, rule.confidence
    label = ABSTAINS if rule.label is None else _position(rule.label, title, labels)
    if rule.function is not None:
        function = _import(rule.function, title)
        vote = _Caller(title, function, None if rule.label is None else label, labels)
        return CompiledRule(title, confidence, vote, source=_source(function))
    if rule.pattern is not None:
        return CompiledRule(
            title, confidence, _Searcher(title, _pattern(rule.pattern, title), label)
        )
    search = keyword_pattern(rule.keywords).search
    found = lambda text: ABSTAINS if search(text) is None else label  # noqa: E731
    return CompiledRule(title, confidence, found, folded=True)


def _pattern(pattern: str, title: str) -> regex.Pattern[str]:
    try:
        return regex.compile(pattern, regex.IGNORECASE | regex.VERSION0)
    except (regex.error, RecursionError) as error:
        raise ConfigError(f"{_called(title)} has an invalid pattern: {error}.") from None


@dataclass(frozen=True, slots=True)
class _Searcher:
    """Looks for a pattern, and gives up where that takes for ever.

    A pattern with repeats inside of repeats may need 2^n steps for n characters. `re` cannot be
    told to give up; `regex`, which understands the same patterns, can.
    """

    title: str
    pattern: regex.Pattern[str]
    label: int

    def __call__(self, text: str) -> int:
        try:
            found = self.pattern.search(text, timeout=MAX_WAIT_SECONDS)
        except TimeoutError:
            raise ConfigError(
                f"{_called(self.title)} took more than {MAX_WAIT_SECONDS} seconds for one text,"
                f" which begins {text[:MAX_EXCERPT_LENGTH]!r}; write its pattern without"
                " repeats inside repeats, such as `(a+)+`."
            ) from None
        return ABSTAINS if found is None else self.label


def _position(label: str, title: str, labels: Sequence[str]) -> int:
    if label not in labels:
        raise ConfigError(
            f"{_called(title)} votes for {label!r}, which is not a label of the"
            f" task.{nearest(label, labels)} Labels: {label_listing(labels)}."
        )
    return labels.index(label)


def _import(path: str, title: str) -> Callable[[str], object]:
    try:
        function: Callable[[str], object] = import_object(path)
    except UnknownNameError as error:
        raise ConfigError(
            f"{_called(title)}: {error} To find a module in the current folder, run `PYTHONPATH=."
            " hilt ...`."
        ) from None
    if not callable(function):
        raise ConfigError(f"{_called(title)}: {path} is {function!r}; it must be a function.")
    return function


def _source(function: Callable[[str], object]) -> str:
    """Hash the module, for a function may rest on others that stand beside it."""
    try:
        text = inspect.getsource(sys.modules[function.__module__])
    except (OSError, TypeError, KeyError):  # written in another language, or nowhere
        return ""
    return sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class _Caller:
    """Asks a Python function for its vote, and refuses an answer that is none."""

    title: str
    function: Callable[[str], object]
    label: int | None
    labels: Sequence[str]

    def __call__(self, text: str) -> int:
        try:
            answer = self.function(text)
        except (Exception, SystemExit) as error:
            excerpt = text[:MAX_EXCERPT_LENGTH]
            raise ConfigError(
                f"{_called(self.title)} failed with {type(error).__name__}:"
                f" {shortened(str(error))}{place_of(error)}; the text was {excerpt!r}. Correct"
                " the function; --debug shows where it failed."
            ) from error
        if answer is None or answer is False:
            return ABSTAINS
        if answer is True and self.label is not None:
            return self.label
        if isinstance(answer, str):
            return _position(answer, self.title, self.labels)
        lacks = "; give the rule a `label`" if answer is True else ""
        raise ConfigError(
            f"{_called(self.title)} returned {shortened(repr(answer))}{lacks}. Allowed: the name of"
            " a label, True for the rule's own `label`, and None or False to abstain."
        )


def _called(title: str) -> str:
    """Name a rule in a message, of which a pattern may be long."""
    return f"Rule {shortened(title, 100)!r}"


def cast_votes(rules: Sequence[CompiledRule], texts: Sequence[str]) -> Votes:
    """Ask every rule about every text.

    Returns:
        Shape (n, n_rules): positions of labels, -1 where a rule abstains.

    Raises:
        ConfigError: If a function answers with something that is no vote.
    """
    folded = [fold_case(text) for text in texts] if any(rule.folded for rule in rules) else texts
    votes = np.empty((len(texts), len(rules)), dtype=np.int16)
    for column, rule in enumerate(rules):
        votes[:, column] = [rule.vote(text) for text in (folded if rule.folded else texts)]
    return votes


def combine_votes(votes: Integers, confidences: Sequence[float], n_labels: int) -> Floats:
    """Combine votes as if the rules erred independently of each other (naive Bayes).

    A rule of confidence c is taken to vote for the true label with probability c, and for each
    of the others with (1 - c) / (n_labels - 1). Beforehand all labels are equally likely, and
    that a rule abstains says nothing.

    Args:
        votes: Shape (n, n_rules), positions of labels, -1 where a rule abstains.
        confidences: How often each rule is right, in (0, 1).
        n_labels: At least 2.

    Returns:
        Shape (n, n_labels), float32; rows sum to 1, or are NaN where no rule votes.

    Example:
        >>> combine_votes(np.array([[0, -1], [0, 1], [-1, -1]]), [0.8, 0.8], 2).round(2).tolist()
        [[0.800000011920929, 0.20000000298023224], [0.5, 0.5], [nan, nan]]

    Source: Dawid and Skene 1979, with error rates that are given, not estimated; rules as
    labelling functions: Ratner et al. 2016, "Data Programming".
    """
    given = np.asarray(confidences, dtype=np.float64)  # (n_rules,)
    weights = np.log(given) - np.log((1 - given) / (n_labels - 1))
    logits = np.zeros((len(votes), n_labels))
    for column, weight in zip(votes.T, weights, strict=True):
        rows = np.flatnonzero(column >= 0)
        logits[rows, column[rows]] += weight
    distribution = softmax(logits)
    distribution[(votes < 0).all(axis=1)] = np.nan
    return distribution


class Rules:
    """Proposes by labelling functions, and abstains where none of them applies.

    Args:
        context: The labels.
        rules: What `Rule` takes, one mapping a rule. They are compiled here and not on first
            use, so that a mistake shows before another proposer has worked for hours.

    Raises:
        ConfigError: If a rule names a label that the task lacks, or a function that is not there.
    """

    tasks = ("single",)
    media = ("text",)
    reads_embeddings = False

    def __init__(self, context: Context, rules: Sequence[Mapping[str, Any]]) -> None:
        self.context = context
        names = [label.name for label in context.labels]
        self.rules = compile_rules([Rule(**rule) for rule in rules], names)

    @property
    def fingerprint(self) -> dict[str, str]:
        """What decides the votes beside the configuration: the modules of Python functions."""
        return {rule.title: rule.source for rule in self.rules if rule.source}

    def votes(self, texts: Sequence[str]) -> Votes:
        """Ask every rule about every text.

        Returns:
            Shape (n, n_rules): positions of labels, -1 where a rule abstains.

        Raises:
            ConfigError: If a function answers with something that is no vote.
        """
        return cast_votes(self.rules, texts)

    def propose(self, items: Items) -> Floats:
        """Propose labels.

        Returns:
            Shape (n, n_labels), float32; rows sum to 1, or are NaN where no rule votes.

        Raises:
            ConfigError: If a function answers with something that is no vote.
        """
        confidences = [rule.confidence for rule in self.rules]
        return combine_votes(self.votes(items.texts), confidences, len(self.context.labels))
