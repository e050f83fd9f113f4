"""The `student` section: the small model that is trained on the labels."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from hilt.pipeline.configuration.paths import MODEL
from hilt.pipeline.configuration.section import Section, check_kind, find_kind
from hilt.proposers.models.encoder import EncoderSource
from hilt.registry import Registry, nearest

STUDENTS = Registry(
    "student",
    {
        "linear": "hilt.pipeline.students.linear:LinearStudent",
        "contrastive": "hilt.pipeline.students.contrastive:ContrastiveStudent",
        "transformer": "hilt.pipeline.students.transformer:TransformerStudent",
        "blend": "hilt.pipeline.students.blend:BlendedStudent",
    },
    methods=("predict_proba", "save"),
    builder="fit",
    given=("examples",),
    named=("device", "seed"),
)
AUTO = "auto"
FIRST = "linear"  # what `auto` tries in any case
KINDS = (AUTO, "linear", "contrastive", "transformer")  # a blend is what `auto` may come to


def _known(kind: str) -> str:
    if kind in KINDS:
        return kind
    if kind in STUDENTS.built_in or kind not in STUDENTS:
        raise ValueError(
            f"Unknown student {kind[:60]!r}.{nearest(kind, KINDS)} Available: {', '.join(KINDS)},"
            " or your own package.module:Class"
        )
    return find_kind(STUDENTS, kind)


class FineTuning(Section):
    """How an encoder is fine-tuned.

    Attributes:
        averaged: Whether the student of all labels is the mean of those of the folds; a head that
            begins at random is not averaged as well.
    """

    averaged: ClassVar[bool] = False

    model: Annotated[str | None, MODEL] = Field(
        None,
        description="The encoder to fine-tune: a model on the hub or a folder, as in"
        " `embedder.model`. Unset: the embedder's.",
    )
    epochs: int = Field(
        8, ge=1, description="Maximum number of passes over the labels; training may stop earlier."
    )
    learning_rate: float = Field(1e-4, gt=0, le=1, description="Learning rate of the encoder.")
    batch_size: int = Field(32, ge=1, description="Items in a training step.")
    max_tokens: int = Field(128, ge=8, description="Cut texts after this many tokens.")


class ContrastiveSettings(FineTuning):
    """How the encoder learns which texts belong together, when a student is contrastive."""

    averaged: ClassVar[bool] = True

    epochs: int = Field(
        2,
        ge=1,
        description="Maximum number of passes over the labelled items outside each fold. The"
        " model of each fold is then trained for one or two more passes on the other labels"
        " too, and the models are averaged.",
    )
    from_labels: int = Field(
        30,
        ge=1,
        description="`auto` tries this kind from this many labelled items on, provided there are at"
        " least eight per label on average.",
    )


class TransformerSettings(FineTuning):
    """How the encoder is fine-tuned with a fresh head, when a student is a transformer."""

    head_learning_rate: float = Field(
        2e-3, gt=0, le=1, description="Learning rate of the classification head."
    )
    from_labels: int = Field(
        150,
        ge=1,
        description="With `effort: thorough`, `auto` tries this kind from this many labelled items"
        " on, provided there are at least eight per label on average.",
    )


class SelfTraining(Section):
    """Learning also from the confident part of the fused proposals."""

    rounds: int = Field(2, ge=0, description="Number of rounds; 0 turns self-training off.")
    share: float = Field(
        0.65,
        gt=0,
        le=1,
        description="Share of the items with each predicted label to use, the most confident"
        " first.",
    )
    weight: float = Field(
        0.3,
        gt=0,
        le=1,
        description="Weight of such an example; a label of a person has weight 1. Cross-validation"
        " lowers it, to 0 if necessary.",
    )
    soft: bool = Field(
        False,
        description="Learn the fused probabilities themselves (distillation), not only the"
        " likeliest label.",
    )
    max_items: int = Field(
        4000, ge=1, description="Maximum number of such examples, drawn at random."
    )


class StudentSection(Section):
    """The small model that is trained on the labels."""

    kind: Annotated[str, AfterValidator(_known)] = Field(
        "auto",
        description="`linear`: logistic regression on the embeddings. `contrastive`: an encoder"
        " fine-tuned so that texts with the same label are close, then logistic regression."
        " `transformer`: an encoder fine-tuned with a classification head. `auto`: the kind"
        " that predicts held-out labels best, or a weighted mixture. Or your own"
        " `package.module:Class`.",
    )
    settings: dict[str, Any] = Field(
        default_factory=dict,
        description="Passed to `fit` of your own class as keyword arguments, beside `device` and"
        " `seed`.",
    )
    effort: Literal["quick", "normal", "thorough"] = Field(
        "normal",
        description="What `auto` tries. `quick`: linear alone, in seconds. `normal`: contrastive"
        " too. `thorough`: transformer too, on all `folds`, and more amounts of self-training.",
    )
    folds: int = Field(5, ge=2, description="Number of folds of cross-validation.")
    regularisation: float | None = Field(
        None,
        ge=1e-6,
        description="C of the logistic regression; a higher value fits the labels more closely."
        " Unset: the number of labels, but at least 10 and at most 100.",
    )
    balance: float = Field(
        0.0,
        ge=0,
        le=1,
        description="How strongly rare labels are weighted: 0 weights items equally, 1 weights"
        " labels equally.",
    )
    self_training: SelfTraining = Field(
        default_factory=SelfTraining, description="Learning from confident proposals."
    )
    contrastive: ContrastiveSettings = Field(
        default_factory=ContrastiveSettings, description="How a contrastive student is trained."
    )
    transformer: TransformerSettings = Field(
        default_factory=TransformerSettings, description="How a transformer is trained."
    )

    @model_validator(mode="after")
    def _check(self) -> StudentSection:
        if self.is_own:
            check_kind(STUDENTS, self.kind, self.settings)
        elif self.settings:
            raise ValueError("`student.settings` is for a `kind` of your own; take it out")
        return self

    @model_serializer(mode="wrap")
    def _without_empty_settings(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out empty settings: students of an older hilt, which had none, stay current."""
        values: dict[str, Any] = dump(self)
        if not self.settings:
            values.pop("settings", None)
        return values

    @property
    def is_chosen(self) -> bool:
        """Whether the user chose the kind, so that no other is tried."""
        return self.kind != AUTO

    @property
    def is_own(self) -> bool:
        """Whether it is a class that hilt does not bring."""
        return self.kind not in KINDS

    def encoder_of(self, kind: str, embedder: EncoderSource) -> EncoderSource:
        """Say which encoder a fine-tuned kind starts from: its own `model`, or the embedder's."""
        own: FineTuning = getattr(self, kind)
        return embedder if own.model is None else EncoderSource(own.model)
