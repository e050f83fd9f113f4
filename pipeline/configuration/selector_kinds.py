"""What a user may write about the selector, one model a kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from hilt.pipeline.configuration.section import Custom, Section, any_of
from hilt.selectors.base import SELECTORS


class SelectorSection(Section):
    """What every selector has; each class below is one that a user may choose.

    Attributes:
        reads_proposals: Whether what the student proposes changes what it picks.
    """

    reads_proposals: ClassVar[bool] = True

    kind: str


class Auto(SelectorSection):
    """Adapts to the stage of the project: a batch at random, then uncertain and diverse items."""

    kind: Literal["auto"] = Field(
        "auto", description="A first batch at random, then uncertainty herding."
    )


class Badge(SelectorSection):
    """Items whose gradients are long and point different ways."""

    kind: Literal["badge"] = Field("badge", description="k-means++ on gradients.")


class Balanced(SelectorSection):
    """What another selector picks, with places for every predicted label."""

    kind: Literal["balanced"] = Field("balanced", description="Quotas by predicted label.")
    of: AnySelector = Field(
        default_factory=lambda: Margin(), description="The selector that fills the quotas."
    )


class Bald(SelectorSection):
    """The items on which students that could all be right disagree most."""

    kind: Literal["bald"] = Field(
        "bald", description="Mutual information between label and weights."
    )
    draws: int = Field(
        10, ge=2, description="Number of students drawn from the posterior of a linear one."
    )


class Contrastive(SelectorSection):
    """The items that are judged differently from the labelled items around them."""

    kind: Literal["contrastive"] = Field(
        "contrastive", description="Differs from labelled neighbours."
    )
    neighbours: int = Field(
        10, ge=1, description="Number of nearest labelled items to compare with."
    )


class Density(SelectorSection):
    """Uncertain items where the pool is dense."""

    kind: Literal["density"] = Field("density", description="Uncertainty times density.")
    neighbours: int = Field(
        10, ge=1, description="Number of nearest neighbours whose mean cosine is the density."
    )
    power: float = Field(
        1.0, ge=0, description="Exponent of the density; at 0 only uncertainty counts."
    )


class Disagreement(SelectorSection):
    """The items on which proposers and student are farthest from their mean."""

    kind: Literal["disagreement"] = Field("disagreement", description="Divergence of opinions.")


class DropQuery(SelectorSection):
    """One item of each kind whose predicted label flips when part of its embedding is dropped."""

    kind: Literal["dropquery"] = Field("dropquery", description="Flips under dropout, clustered.")
    passes: int = Field(
        3, ge=1, description="Number of times that a part of the embedding is dropped."
    )
    share: float = Field(0.75, gt=0, lt=1, description="Share of the embedding that is dropped.")


class Entropy(SelectorSection):
    """The items whose distribution over the labels is flattest."""

    kind: Literal["entropy"] = Field("entropy", description="Highest entropy first.")


class Herding(SelectorSection):
    """Items that cover most of the uncertainty around them; centroids in the first batch."""

    kind: Literal["herding"] = Field("herding", description="Uncertainty times coverage.")
    sample: int = Field(4000, ge=100, description="Number of items, drawn at random, to consider.")
    quantile: float = Field(
        0.1,
        gt=0,
        le=1,
        description="An item covers others up to this quantile of the distances between labelled"
        " items.",
    )


class Hybrid(SelectorSection):
    """Uncertain items that differ from each other; k-means centroids in the first batch."""

    kind: Literal["hybrid"] = Field("hybrid", description="Uncertainty with diversity.")
    shortlist: int = Field(
        10,
        ge=1,
        description="The clusters are made from this many times the batch size of the most"
        " uncertain items.",
    )


class KCenter(SelectorSection):
    """The items farthest from everything labelled or picked."""

    kind: Literal["k_center"] = Field("k_center", description="Farthest first.")


class KMeans(SelectorSection):
    """The items nearest to the centroids of as many clusters as are picked."""

    kind: Literal["kmeans"] = Field("kmeans", description="The centres of clusters.")


class LeastConfident(SelectorSection):
    """The items whose likeliest label is least likely."""

    kind: Literal["least_confident"] = Field(
        "least_confident", description="Lowest confidence first."
    )


class Margin(SelectorSection):
    """The items whose two likeliest labels are closest."""

    kind: Literal["margin"] = Field("margin", description="Smallest margin first.")


class MaxHerding(SelectorSection):
    """The items that bring the others nearest to a labelled or picked one."""

    kind: Literal["max_herding"] = Field("max_herding", description="Coverage by a kernel.")
    sample: int = Field(
        10_000, ge=100, description="Number of items, drawn at random, to cover and to pick from."
    )
    radius: float = Field(
        1.0,
        gt=0,
        description="Distance between unit vectors at which the similarity has fallen to 1/e.",
    )


class PerSecond(SelectorSection):
    """What another selector would pick, the best value per predicted second first."""

    kind: Literal["per_second"] = Field("per_second", description="Value over predicted time.")
    of: AnySelector = Field(
        default_factory=lambda: Margin(), description="The selector whose scores are the value."
    )
    shortlist: int = Field(
        4,
        ge=1,
        description="The selector inside picks this many times the batch size; the best of these"
        " are taken.",
    )


class ProbCover(SelectorSection):
    """The items whose balls hold the most items that no ball holds yet."""

    kind: Literal["probcover"] = Field("probcover", description="Coverage by balls.")
    sample: int = Field(
        8_000, ge=100, description="Number of items, drawn at random, to cover and to pick from."
    )
    purity: float = Field(
        0.95, gt=0, le=1, description="Share of balls that must lie within one cluster."
    )


class Uniform(SelectorSection):
    """Items drawn uniformly: the baseline."""

    reads_proposals: ClassVar[bool] = False

    kind: Literal["random"] = Field("random", description="Uniformly at random.")


class Subsample(SelectorSection):
    """What another selector picks from a part of the pool."""

    kind: Literal["subsample"] = Field("subsample", description="Fewer items to look at.")
    of: AnySelector = Field(
        default_factory=lambda: Margin(), description="The selector that considers them."
    )
    size: int = Field(10_000, ge=1, description="Number of items to consider.")
    near_labelled: bool = Field(
        False,
        description="Whether the nearest neighbours of labelled items are taken first; otherwise"
        " all are drawn at random.",
    )


class TypiClust(SelectorSection):
    """The most typical item of each of the largest clusters with the fewest labels."""

    kind: Literal["typiclust"] = Field("typiclust", description="Typical items of clusters.")
    neighbours: int = Field(
        20, ge=1, description="Number of nearest neighbours that make an item typical."
    )
    most_clusters: int = Field(
        500,
        ge=1,
        description="Maximum number of clusters; up to it there are as many as labels and picks"
        " together.",
    )


class VoteEntropy(SelectorSection):
    """The items on which the votes of proposers and student are split most evenly."""

    kind: Literal["vote_entropy"] = Field("vote_entropy", description="Entropy of the votes.")


class CustomSelector(Custom, SelectorSection):
    """A class of your own with `select`, or one that another package registers."""


if TYPE_CHECKING:
    AnySelector = SelectorSection
else:
    AnySelector = any_of(SelectorSection, CustomSelector, SELECTORS)

for wrapper in (Balanced, PerSecond, Subsample):  # they hold what is only defined below them
    wrapper.model_rebuild()
