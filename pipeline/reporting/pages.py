"""What all HTML pages share: how they are filled in, and how they write figures and names."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from hilt import figures
from hilt.figures import counted, cut, decimals, headed, minutes, points
from hilt.pipeline.reporting.report_tables import short
from hilt.pipeline.training.headline import calibration, calibration_parts

SPACE = "\u00a0"  # does not break


def page_environment() -> Environment:
    """Make the environment that fills in a page; everything in it is escaped."""
    environment = Environment(
        loader=PackageLoader("hilt.pipeline.reporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        percent=percent,
        points=points,
        whole_percent=whole_percent,
        decimals=decimals,
        calibration=calibration,
        calibration_parts=calibration_parts,
        minutes=minutes,
        counted=counted,
        headed=headed,
        spaced=spaced,
        short=short,
        name=cut,
    )
    return environment


def percent(share: float) -> str:
    """Write a measured share as a percentage, spaced as in print."""
    return spaced(figures.percent(share))


def whole_percent(share: float) -> str:
    """Write what a model gives a label, spaced as in print."""
    return spaced(figures.whole_percent(share))


def spaced(text: str) -> str:
    """Put a space before every percent sign."""
    return text.replace("%", SPACE + "%")
