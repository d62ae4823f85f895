"""Jinja2 templates of pages: every value is escaped, an unknown name is an error, numbers look alike on all."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from retention.presentation import formatting


def templates(folder: Path) -> Environment:
    """The templates of a folder. Filters: functions of `retention.presentation.formatting` without currency."""
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": formatting.count,
        "amount": formatting.amount,
        "percent": formatting.percent,
        "figure": formatting.figure,
        "day": formatting.day,
        "begin": formatting.begin,
    }
    return environment
