"""How the review screen asks people."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hilt.pipeline.configuration.section import Section


class Review(Section):
    """What the review screen shows, to how many people, and how it measures them."""

    introduction: str = Field(
        "", description="What reviewers should know first, as Markdown; the key `h` shows it."
    )
    guidelines: dict[str, str] = Field(
        default_factory=dict,
        description="For each label, when to use it and when not, with examples, as Markdown.",
    )
    overlap: int = Field(
        1, ge=1, description="Number of people who decide each item of `overlap_share`."
    )
    overlap_share: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Share of the items that `overlap` people decide; one person decides each of"
        " the others.",
    )
    second_opinions: Literal["blind", "shown"] = Field(
        "blind",
        description="Whether the second and later reviewers of an item see the proposal. `blind`"
        " makes people agree with each other rather than with the machine. Nobody ever sees"
        " the decisions of others.",
    )
    blind_share: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Share of the items outside the audit slice that are shown without their"
        " proposal, at random, to measure how much a shown proposal influences people.",
    )
    gold_share: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Share of each reviewer's items that have a known answer, once there are such"
        " items (`hilt import WORK FILE --gold`).",
    )
    bulk_size: int = Field(
        20, ge=2, le=20, description="Maximum number of items in one grid of the bulk view."
    )
    bulk_nearness: float = Field(
        0.3,
        ge=-1,
        le=1,
        description="Minimum cosine between items of one proposed label in the same grid.",
    )
    bulk_check: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Share of the items decided in bulk that are asked again, one by one and blind,"
        " to measure the errors that bulk decisions cause.",
    )
    claim_minutes: float = Field(
        15.0,
        gt=0,
        description="Minutes for which an item is reserved for the reviewer who got it; afterwards"
        " others may get it.",
    )
    refill_below: int = Field(
        10,
        ge=0,
        description="With `hilt review --live`: more items are selected when this many are left.",
    )
