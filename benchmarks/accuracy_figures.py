"""The targets: the best figures measured or published on each task, to be reached all at once.

"≥ .784": at least, "≤ .017": at most, "± .10": so far from 0 at most, "78–82 %" is ".78 – .82". A value is
rounded to the decimals of the figure first.
"""

COVERAGE = ".78 – .82"
FIGURES = {
    "CDNOW forward": {
        "roc_auc": "≥ .784",
        "ece": "≤ .030",
        "normalized_gini": "≥ .684",
        "spearman": "≥ .457",
        "decile_mape": "≤ .26",
        "total_bias": "± .10",
        "interval_coverage": COVERAGE,
    },
    "CDNOW split": {
        "roc_auc": "≥ .784",
        "ece": "≤ .017",
        "normalized_gini": "≥ .711",
        "spearman": "≥ .458",
        "decile_mape": "≤ .17",
        "total_bias": "± .07",
        "interval_coverage": COVERAGE,
    },
    "ORII-90": {
        "roc_auc": "≥ .811",
        "ece": "≤ .040",
        "normalized_gini": "≥ .843",
        "spearman": "≥ .588",
        "decile_mape": "≤ .15",
        "total_bias": "± .15",
        "interval_coverage": COVERAGE,
    },
    "ORII-180": {
        "roc_auc": "≥ .808",
        "ece": "≤ .034",
        "normalized_gini": "≥ .871",
        "spearman": "≥ .630",
        "decile_mape": "≤ .15",
        "total_bias": "± .10",
        "interval_coverage": COVERAGE,
    },
    "Telco": {"roc_auc": "≥ .8496", "ece": "≤ .0065"},
}


def is_reached(value: float, figure: str) -> bool:
    """Return True if a value is at least as good as the figure.

    >>> is_reached(0.7836, "≥ .784"), is_reached(-0.12, "± .10"), is_reached(0.8, ".78 – .82")
    (True, False, True)
    """
    *start, end = figure.split(" ")
    value, bound = round(value, len(end) - 1), float(end)
    match start:
        case ["≥"]:
            return value >= bound
        case ["≤"]:
            return value <= bound
        case ["±"]:
            return abs(value) <= bound
        case [low, "–"]:
            return float(low) <= value <= bound
    raise ValueError(f"'{figure}' is not a target")
