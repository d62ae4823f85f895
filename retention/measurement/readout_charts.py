"""Chart of a readout: the profit of a campaign with its interval, in total and by offer."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd

from retention.presentation.theme import BLUE, INK, MUTED, VERMILION, Figure, blank_figure, whiskers


def profit_chart(groups: Sequence[Mapping[str, Any]], *, currency: str, window_days: int) -> Figure:
    """A point with its 95 % interval per group, the first on top; the line at 0 is no profit.

    groups: name, and value, low and high in currency units. Blue is a profit, red a loss, grey may be either.
    """
    frame = pd.DataFrame(groups)
    names = [escape(str(name)) for name in frame["name"]]
    figure = blank_figure(height=110 + 44 * len(frame))
    for place, group in enumerate(frame.itertuples()):
        color = BLUE if group.low > 0 else VERMILION if group.high < 0 else MUTED
        figure.add_scatter(
            x=[group.value],
            y=[names[place]],
            error_x=whiskers(frame["value"].iloc[[place]], frame[["low", "high"]].iloc[[place]], color=color),
            mode="markers",
            marker={"color": color, "size": 12},
            showlegend=False,
            hovertemplate=f"%{{y}}: %{{x:,.0f}} {currency}, 95 % interval {group.low:,.0f} to {group.high:,.0f}"
            "<extra></extra>",
        )
    figure.add_vline(x=0, line={"color": INK, "width": 1})
    figure.update_xaxes(title_text=f"profit in {window_days} days ({currency})", tickformat="~s", nticks=6)
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    return figure
