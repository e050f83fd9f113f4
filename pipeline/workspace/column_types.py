"""Values as they stand in columns of the state database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, TypeDecorator

from hilt.pipeline.workspace.training_summary import TrainingSummary
from hilt.types import Candidate, Value
from hilt.values import candidates_from_json, candidates_to_json, value_from_json, value_to_json


class UnreadableValueError(ValueError):
    """A value in the database that is not what it should be."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC, in and out; SQLite alone would drop the zone and keep the clock."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn any zone into UTC; a time without a zone is taken for UTC."""
        if value is None or value.tzinfo is None:
            return value
        return value.astimezone(UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """Read what is stored; what is no moment gets an error of its own."""
        read = super().result_processor(dialect, coltype)

        def checked(value: object) -> object:
            try:
                return value if read is None else read(value)
            except (ValueError, TypeError) as error:
                raise UnreadableValueError(f"{value!r} is no moment") from error

        return checked

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Say that it is UTC."""
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)


class SummaryJson(TypeDecorator[TrainingSummary]):
    """The summary of a training, as JSON in the database."""

    impl = JSON
    cache_ok = True

    def process_bind_param(
        self, value: TrainingSummary | None, dialect: Dialect
    ) -> dict[str, Any] | None:
        """Write it down."""
        return None if value is None else value.to_dict()

    def process_result_value(
        self, value: dict[str, Any] | None, dialect: Dialect
    ) -> TrainingSummary | None:
        """Read it, whichever hilt wrote it."""
        try:
            return None if value is None else TrainingSummary.parse(value)
        except ValueError as error:
            raise UnreadableValueError(str(error)) from error


class ValueJson(TypeDecorator[Value]):
    """An answer, as JSON in the database."""

    impl = JSON(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: Value | None, dialect: Dialect) -> list[Any] | None:
        """Write it down."""
        return None if value is None else value_to_json(value)

    def process_result_value(self, value: list[Any] | None, dialect: Dialect) -> Value | None:
        """Read it; what is no answer gets an error of its own."""
        try:
            return None if value is None else value_from_json(value)
        except ValueError as error:
            raise UnreadableValueError(str(error)) from error


class CandidatesJson(TypeDecorator[tuple[Candidate, ...]]):
    """What is proposed for an item, as JSON in the database."""

    impl = JSON
    cache_ok = True

    def process_bind_param(
        self, value: tuple[Candidate, ...] | None, dialect: Dialect
    ) -> list[list[Any]] | None:
        """Write it down."""
        return None if value is None else candidates_to_json(value)

    def process_result_value(
        self, value: list[Any] | None, dialect: Dialect
    ) -> tuple[Candidate, ...] | None:
        """Read it; what is no list of candidates gets an error of its own."""
        try:
            return None if value is None else candidates_from_json(value)
        except ValueError as error:
            raise UnreadableValueError(str(error)) from error
