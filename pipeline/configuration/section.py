"""What all parts of a configuration have in common."""

from __future__ import annotations

from typing import Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from hilt.registry import Registry


class Section(BaseModel):
    """A part of the configuration: unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Custom(Section):
    """A class of your own, or one that another package registers."""

    kind: str = Field(description="`package.module:Class`, or a registered name.")
    settings: dict[str, Any] = Field(
        default_factory=dict, description="Passed to the class as keyword arguments."
    )


def kind_of(value: Any) -> str:  # noqa: ANN401 - anything may stand in a file
    """Read the kind of a section, or of what may become one; empty where it is no text."""
    kind = value.get("kind", "") if isinstance(value, dict) else getattr(value, "kind", "")
    return kind if isinstance(kind, str) else ""


def name_in(registry: Registry) -> AfterValidator:
    """Refuse a `kind` that the registry does not find."""

    def check(name: str) -> str:
        registry.check(name)
        return name

    return AfterValidator(check)


def known(registry: Registry) -> AfterValidator:
    """Refuse a section of a kind that the registry does not find."""

    def check(section: Section) -> Section:
        if isinstance(section, Custom):
            registry.check(section.kind)
        return section

    return AfterValidator(check)
