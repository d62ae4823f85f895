"""Pages are Jinja2 templates: every value is escaped, an unknown name is an error, figures read alike on all."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from retention import wording


def templates(folder: Path) -> Environment:
    """The templates of a folder. Filters: the words of `retention.wording` that need no currency."""
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": wording.count,
        "amount": wording.amount,
        "percent": wording.percent,
        "figure": wording.figure,
        "day": wording.day,
        "begin": wording.begin,
    }
    return environment
