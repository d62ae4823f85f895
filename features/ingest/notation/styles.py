"""The styles of a table: how each of its columns is written, where it is not plain."""

from dataclasses import dataclass, field

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
