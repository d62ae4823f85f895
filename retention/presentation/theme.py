"""The theme of all charts, and their conversion to HTML. The only file that imports plotly.

White ground, Okabe and Ito's colours (told apart by the colour-blind, and by dashes in print), values written beside
their marks, axes that name their unit and bars that begin at zero.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, TypeAlias

import pandas as pd
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs
from plotly.subplots import make_subplots

Figure: TypeAlias = go.Figure

INK, MUTED, GRID, PALE = "#1b1f24", "#57606a", "#e6e8eb", "#c9d9e6"
BLUE, VERMILION, GREEN, PURPLE, ORANGE = "#0072b2", "#d55e00", "#009e73", "#a6527f", "#b87a00"
CHANCE = {"color": MUTED, "width": 1}
PERFECT = {"color": INK, "dash": "dot", "width": 1}


def blank_figure(*, height: int) -> Figure:
    """An empty chart, as wide as its place."""
    figure = go.Figure()
    _dress(figure, height=height)
    return figure


def panels(titles: Sequence[str], *, columns: int, x_title: str, y_title: str) -> Figure:
    """Empty small charts side by side, with common axes."""
    rows = -(-len(titles) // columns)
    figure = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=titles,
        shared_xaxes=True,
        shared_yaxes=True,
        horizontal_spacing=0.03,
        vertical_spacing=0.24 / rows,
        x_title=x_title,
        y_title=y_title,
    )
    _dress(figure, height=60 + 260 * rows)
    figure.update_layout(showlegend=False, margin={"l": 64, "b": 56, "t": 28})
    figure.update_annotations(font={"size": 13, "color": INK})
    figure.update_xaxes(showticklabels=True)
    return figure


def to_html(figures: Mapping[str, Figure]) -> dict[str, str]:
    """Each figure as an HTML fragment whose id is its name; the page has to hold `script()` before them, once, and
    `DRAWS` after them. A picture is drawn when it comes into view, or before the page is printed.
    """
    return {
        name: f'<div id="{escape(name)}" class="picture" style="height:{figure.layout.height:.0f}px">'
        f'<script type="application/json">{as_json(figure)}</script></div>'
        for name, figure in figures.items()
    }


def as_json(figure: Figure) -> str:
    """A figure as plotly.js takes it, safe within a script element."""
    return str(figure.to_json()).replace("<", "\\u003c").replace(">", "\\u003e")


def script() -> str:
    """plotly.js as it ships in the wheel: inlined, a page needs no network."""
    return str(get_plotlyjs())


DRAW_SCRIPT = """
const options = { displayModeBar: false, responsive: true };
function draw(place) {
  const data = place.querySelector("script");
  if (!data) return null;
  const figure = JSON.parse(data.textContent);
  data.remove();
  return Plotly.newPlot(place, figure.data, figure.layout, options);
}
const observer = new IntersectionObserver((entries) => entries.forEach((entry) => {
  if (entry.isIntersecting) { observer.unobserve(entry.target); draw(entry.target); }
}), { rootMargin: "600px" });
document.querySelectorAll(".picture").forEach((place) => observer.observe(place));
"""
"""JavaScript that draws the pictures of a page as they come into view; `draw` draws one at once."""


def whiskers(middle: pd.Series, ends: pd.DataFrame, *, color: str) -> dict[str, Any]:
    """Error bars from `low` to `high`."""
    up, down = ends["high"] - middle, middle - ends["low"]
    return {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "color": color, "width": 3}


def _dress(figure: Figure, *, height: int) -> None:
    axis = {"gridcolor": GRID, "linecolor": MUTED, "zerolinecolor": MUTED, "automargin": True}
    axis |= {"title": {"standoff": 8, "font": {"size": 13, "color": MUTED}}}
    figure.update_layout(
        template="none",
        height=height,
        font={"family": "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif", "size": 13, "color": INK},
        paper_bgcolor="white",
        plot_bgcolor="white",
        margin={"l": 10, "r": 24, "t": 10, "b": 10},
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
        dragmode=False,
    )
    figure.update_xaxes(axis)
    figure.update_yaxes(axis)
