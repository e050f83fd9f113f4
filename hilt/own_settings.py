"""The settings of a class that is not hilt's: checked by the signature of what builds it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.errors import PydanticUserError
from pydantic_core import SchemaError

from hilt.errors import ExtensionError
from hilt.own_code import shortened

Parameters = Mapping[str, inspect.Parameter]
MAX_VALUE_LENGTH = 60  # characters of a value that a message shows


class SettingError(ExtensionError):
    """Settings in the configuration that a class of the user's own does not take.

    Attributes:
        steps: The keys and places that lead from the settings to the one that is refused; empty
            where it is missing.
    """

    def __init__(self, sentence: str, steps: tuple[str | int, ...] = ()) -> None:
        super().__init__(sentence)
        self.steps = steps


def checked_settings(
    build: Callable[..., Any],
    who: str,
    settings: Mapping[str, Any],
    given: Sequence[object] = (),
    named: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    """Check what a user wrote as settings of a class against the parameters that it takes.

    A parameter with an annotation is checked and converted as pydantic does it, so that
    `Literal["a", "b"]` and `Annotated[int, Field(ge=1)]` say what is allowed.

    Args:
        build: The class, or the method of it that is called.
        who: What to call it in messages.
        settings: What the user wrote.
        given: What hilt passes by place, before the settings.
        named: What hilt passes by name.

    Returns:
        The settings, as the class takes them.

    Raises:
        SettingError: If one is missing, unknown or of the wrong type, or if the class does not take
            what hilt passes.
    """
    parameters = _parameters(build)
    if parameters is None:
        return dict(settings)
    left = _left_for_the_user(parameters, who, len(given), tuple(named or ()))
    model = _model(left)
    takes = f" It takes: {', '.join(_named(left))}." if _named(left) else " It takes none."
    try:
        checked = model.model_validate(dict(settings))
    except ValidationError as error:
        raise _refusal(who, error, _named(left), takes) from None
    names = {field: info.alias for field, info in model.model_fields.items()}
    found = {
        str(names[field]): getattr(checked, field)
        for field in checked.model_fields_set & names.keys()
    }
    return {name: found.get(name, value) for name, value in settings.items()}


def _parameters(build: Callable[..., Any]) -> Parameters | None:
    """List the parameters; None where nothing tells them."""
    for evaluate in (True, False):  # names for type checkers alone cannot be evaluated
        try:
            return inspect.signature(build, eval_str=evaluate).parameters
        except (ValueError, TypeError):
            return None
        except Exception:  # whatever an annotation raises
            continue
    return None


def _left_for_the_user(
    parameters: Parameters, who: str, given: int, named: tuple[str, ...]
) -> list[inspect.Parameter]:
    """Leave out what hilt passes.

    Raises:
        SettingError: If it is not taken.
    """
    try:
        inspect.Signature(list(parameters.values())).bind_partial(
            *[None] * given, **dict.fromkeys(named)
        )
    except TypeError as error:
        raise SettingError(f"{who} cannot be called as hilt calls it: {error}.") from None
    by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    places = [each.name for each in parameters.values() if each.kind in by_place][:given]
    return [each for each in parameters.values() if each.name not in (*places, *named)]


def _named(parameters: Sequence[inspect.Parameter]) -> list[str]:
    collecting = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [each.name for each in parameters if each.kind not in collecting]


def _model(parameters: Sequence[inspect.Parameter]) -> type[BaseModel]:
    """Make a model with a field for each parameter.

    The fields are named by number, for a parameter may be called as a method of a model is.
    """
    takes_any = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters)
    fields: dict[str, Any] = {
        f"field_{place}": (
            _annotation(each),
            Field(... if each.default is each.empty else each.default, alias=each.name),
        )
        for place, each in enumerate(each for each in parameters if each.name in _named(parameters))
    }
    config = ConfigDict(extra="allow" if takes_any else "forbid", arbitrary_types_allowed=True)
    return create_model("Settings", __config__=config, **fields)


def _annotation(parameter: inspect.Parameter) -> Any:  # noqa: ANN401 - any annotation
    """Give the annotation where pydantic can check it, else `Any`."""
    annotation = parameter.annotation
    if annotation is parameter.empty or isinstance(annotation, str):
        return Any
    try:
        create_model(
            "Setting", __config__=ConfigDict(arbitrary_types_allowed=True), field=(annotation, ...)
        )
    except (PydanticUserError, SchemaError, TypeError, NameError):
        return Any
    return annotation


def _refusal(who: str, error: ValidationError, names: Sequence[str], takes: str) -> SettingError:
    """Say what is wrong with one of the settings: what is written there goes before what is not."""
    found = error.errors(include_url=False)
    first = min(found, key=lambda each: each["type"] == "missing")
    name = ".".join(map(str, first["loc"]))
    if first["type"] == "missing":
        return SettingError(f"{who} needs the setting {name!r}.{takes}")
    if first["type"] == "extra_forbidden":
        near = get_close_matches(name[:MAX_VALUE_LENGTH], names, n=1)
        hint = f" Did you mean: {near[0]}?" if near else ""
        shown = shortened(repr(name), MAX_VALUE_LENGTH)
        return SettingError(f"{who} has no setting {shown}.{hint}{takes}", first["loc"])
    value = shortened(repr(first["input"]), MAX_VALUE_LENGTH)
    reason = shortened(first["msg"])
    sentence = f"{who}: the setting {name!r} is {value}: {reason[:1].lower()}{reason[1:]}."
    return SettingError(sentence, first["loc"])
