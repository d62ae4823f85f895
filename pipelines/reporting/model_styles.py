"""Line styles of the models: colours that the colour-blind can tell apart, dashes that print can."""

from html import escape
from typing import Any

from pipelines.training.baseline_comparison import MODELS
from retention.presentation.theme import BLUE, GREEN, MUTED, ORANGE, PURPLE, VERMILION

STYLES = {
    "stayworth": {"color": BLUE, "dash": "solid", "width": 3},
    "bgnbd_gamma_gamma": {"color": VERMILION, "dash": "dash", "width": 2},
    "pareto_nbd_gamma_gamma": {"color": VERMILION, "dash": "longdashdot", "width": 1.5},
    "rfm_logistic": {"color": GREEN, "dash": "dashdot", "width": 2},
    "last_period": {"color": PURPLE, "dash": "dot", "width": 2},
    "hiatus": {"color": ORANGE, "dash": "longdash", "width": 1.5},
}
OTHER = {"color": MUTED, "dash": "dot", "width": 1.5}


def line_style(model: str) -> dict[str, Any]:
    """Colour, dash and width of a model's line."""
    return STYLES.get(model, OTHER)


def display_name(model: str) -> str:
    """Display name of a model, safe in HTML."""
    return escape(MODELS.get(model, model))
