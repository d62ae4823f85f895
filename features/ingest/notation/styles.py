"""The styles of a table: how each of its columns is written, where it is not plain."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from features.histories.attributes import AttributeKind
from features.ingest.notation.number_style import NumberStyle
from features.ingest.notation.time_style import TimeStyle


@dataclass(frozen=True)
class AttributeStyle:
    """What an attribute holds, and how its numbers or moments are written."""

    kind: AttributeKind
    number: NumberStyle = field(default_factory=NumberStyle)
    time: TimeStyle = field(default_factory=TimeStyle)


@dataclass(frozen=True)
class Styles:
    """How the columns of a table are written; a column that is in none of these is plain."""

    numbers: dict[str, NumberStyle] = field(default_factory=dict)
    times: dict[str, TimeStyle] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    """Columns of ids and names → SQL of what is taken for a cell."""
    attributes: dict[str, AttributeStyle] = field(default_factory=dict)
    """Every attribute of the customers."""

    @property
    def is_plain(self) -> bool:
        """True if all columns are plain."""
        return not (self.numbers or self.times or self.ids or self.attributes)

    def to_json(self) -> dict[str, Any]:
        """The styles as JSON, without those of attributes."""
        numbers = {name: asdict(style) for name, style in self.numbers.items()}
        return {
            "numbers": numbers,
            "times": {name: asdict(style) for name, style in self.times.items()},
            "ids": self.ids,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The styles that `to_json` wrote."""
        times = {name: style | {"formats": tuple(style["formats"])} for name, style in content["times"].items()}
        return cls(
            {name: NumberStyle(**style) for name, style in content["numbers"].items()},
            {name: TimeStyle(**style) for name, style in times.items()},
            dict(content["ids"]),
        )
