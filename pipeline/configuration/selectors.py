"""What a user may write about the selector, one model a kind."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from hilt.pipeline.configuration.section import Custom, Section, known
from hilt.selectors.base import SELECTORS


class Auto(Section):
    """What suits the stage that the loop is in, by what it has measured."""

    kind: Literal["auto"] = Field(
        "auto", description="Diverse at first, then uncertainty herding, then margins alone."
    )


class Herding(Section):
    """Items that cover most of the uncertainty around them; centroids in the first batch."""

    kind: Literal["herding"] = Field("herding", description="Uncertainty times coverage.")
    sample: int = Field(4000, ge=100, description="Items, drawn at random, that are looked at.")
    quantile: float = Field(
        0.1,
        gt=0,
        le=1,
        description="Of the distances between labelled items: how far an item covers.",
    )


class Hybrid(Section):
    """Uncertain items that differ from each other; k-means centroids in the first batch."""

    kind: Literal["hybrid"] = Field("hybrid", description="Uncertainty with diversity.")
    shortlist: int = Field(
        10,
        ge=1,
        description="Batches' worth of the most uncertain items from which the clusters are made.",
    )


class Margin(Section):
    """The items whose two likeliest labels are closest."""

    kind: Literal["margin"] = Field("margin", description="Smallest margin first.")


class Uniform(Section):
    """Items drawn uniformly: the baseline."""

    kind: Literal["random"] = Field("random", description="Uniformly at random.")


def _tag(value: Any) -> str:  # noqa: ANN401 - anything may stand in a file
    kind = value.get("kind", "") if isinstance(value, dict) else getattr(value, "kind", "")
    return kind if kind in ("auto", "herding", "hybrid", "margin", "random") else "custom"


AnySelector = Annotated[
    Annotated[Auto, Tag("auto")]
    | Annotated[Herding, Tag("herding")]
    | Annotated[Hybrid, Tag("hybrid")]
    | Annotated[Margin, Tag("margin")]
    | Annotated[Uniform, Tag("random")]
    | Annotated[Custom, Tag("custom")],
    Discriminator(_tag),
    known(SELECTORS),
]
