"""What all parts of a configuration have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self, Union, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from hilt.errors import ExtensionError
from hilt.own_settings import SettingError
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
        default_factory=dict,
        description="Passed to the class as keyword arguments, which it checks.",
    )


class Named(Custom):
    """A section that is mostly a kind alone, and then may be written as its name.

    Attributes:
        registry: What finds the kind.
    """

    registry: ClassVar[Registry]

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:  # noqa: ANN401 - anything may stand in a file
        return {"kind": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.settings and not self.registry.is_own(self.kind):
            what = self.registry.what
            raise ValueError(f"the {what} {self.kind!r} has no settings; take them out")
        check_kind(self.registry, self.kind, self.settings)
        return self

    @model_serializer(mode="plain")
    def _written(self) -> str | dict[str, Any]:
        return {"kind": self.kind, "settings": self.settings} if self.settings else self.kind


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
    return Annotated[Union[members], Discriminator(tag), known_in(registry)]  # noqa: UP007


def name_in(registry: Registry) -> AfterValidator:
    """Refuse a `kind` that the registry does not find."""
    return AfterValidator(lambda name: find_kind(registry, name))


def find_kind(registry: Registry, name: str) -> str:
    """Return a kind that the registry finds.

    Raises:
        ValueError: If it does not; so it gets the line of the configuration.
    """
    try:
        registry.find(name)
    except ExtensionError as error:
        raise ValueError(str(error)) from error
    return name


def known_in(registry: Registry) -> AfterValidator:
    """Refuse a section of a kind that the registry does not find, or with other settings."""

    def check(section: Section) -> Section:
        if isinstance(section, Custom):
            check_kind(registry, section.kind, section.settings)
        return section

    return AfterValidator(check)


def check_kind(registry: Registry, kind: str, settings: Mapping[str, Any]) -> None:
    """Refuse a kind that the registry does not find, or settings that a class does not take.

    Raises:
        ValueError: In words; pydantic adds the place, and so the line of the configuration.
        PydanticCustomError: For a setting, with its place inside of the section.
    """
    try:
        registry.check(kind, settings)
    except SettingError as error:
        raise wrong_inside(str(error), "settings", *error.steps) from error
    except ExtensionError as error:
        raise ValueError(str(error)) from error
