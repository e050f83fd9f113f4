"""What all parts of a configuration have in common."""

from __future__ import annotations

from typing import Annotated, Any, Union, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from hilt.errors import ExtensionError
from hilt.registry import Registry

INSIDE = "inside"
CUSTOM = "custom"


def wrong_inside(sentence: str, *steps: str | int) -> PydanticCustomError:
    """Make what a validator raises when the mistake stands further inside of what it looks at.

    Args:
        sentence: What is wrong.
        steps: The keys and places that lead to it.
    """
    return PydanticCustomError(INSIDE, "{sentence}", {"sentence": sentence, "steps": steps})


class Section(BaseModel):
    """A part of the configuration: unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ANN401
        """Refuse `true` where a number belongs, which Python takes for 1."""
        annotation = cls.model_fields[str(info.field_name)].annotation
        if isinstance(value, bool) and {int, float} & {annotation, *get_args(annotation)}:
            raise PydanticCustomError("number_type", "true or false instead of a number")
        return value


class Custom(Section):
    """A class of your own, or one that another package registers."""

    kind: str = Field(description="`package.module:Class`, or a registered name.")
    settings: dict[str, Any] = Field(
        default_factory=dict, description="Passed to the class as keyword arguments."
    )


def any_of(base: type[Section], custom: type[Custom], registry: Registry) -> Any:  # noqa: ANN401
    """Make the type of a section that is of any subclass of `base`, as its `kind` says.

    Args:
        base: Each of its subclasses has its kind as the default of `kind`.
        custom: The subclass for every other kind.
        registry: What must find such a kind.
    """
    own = [each for each in base.__subclasses__() if each is not custom]
    sections = {each.model_fields["kind"].default: each for each in own}

    def tag(value: Any) -> str:  # noqa: ANN401 - anything may stand in a file
        kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
        return kind if isinstance(kind, str) and kind in sections else CUSTOM

    tagged = [Annotated[section, Tag(kind)] for kind, section in sections.items()]
    members = (*tagged, Annotated[custom, Tag(CUSTOM)])
    return Annotated[Union[members], Discriminator(tag), _known(registry)]  # noqa: UP007


def name_in(registry: Registry) -> AfterValidator:
    """Refuse a `kind` that the registry does not find."""

    def check(name: str) -> str:
        _check(registry, name)
        return name

    return AfterValidator(check)


def _known(registry: Registry) -> AfterValidator:
    """Refuse a section of a kind that the registry does not find."""

    def check(section: Section) -> Section:
        if isinstance(section, Custom):
            _check(registry, section.kind)
        return section

    return AfterValidator(check)


def _check(registry: Registry, name: str) -> None:
    try:
        registry.check(name)
    except ExtensionError as error:  # as a ValueError it gets the line of the configuration
        raise ValueError(str(error)) from error
