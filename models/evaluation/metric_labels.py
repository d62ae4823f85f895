"""Labels of metrics: name, number format, meaning and better direction, for every table and page."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """Name, number format, meaning and better direction of one metric."""

    label: str
    form: str
    better: Literal["higher", "lower", "nearer zero", "nearer one", "nearer 80%"] | None
    means: str

    @property
    def judged(self) -> str:
        """The name with the better direction."""
        return self.label + (f", {self.better} is better" if self.better else "")

    def __str__(self) -> str:
        """The heading of a row: name, meaning and better direction."""
        label = self.label[0].upper() + self.label[1:]
        return f"{label}: {self.means}" + (f"; {self.better} is better" if self.better else "")


METRICS = {
    "roc_auc": Metric("ROC-AUC", ".3f", "higher", "chance that a leaver is ranked above a stayer; 0.5 is a coin"),
    "pr_auc": Metric("PR-AUC", ".3f", "higher", "precision averaged over recall; the churn rate is a coin's"),
    "top_decile_lift": Metric("top-decile lift", ".2f", "higher", "leavers among the riskiest tenth against all"),
    "log_loss": Metric("log loss", ".4f", "lower", "surprise per customer at what happened"),
    "brier": Metric("Brier score", ".4f", "lower", "mean squared error of the churn probability"),
    "ece": Metric("calibration error", ".3f", "lower", "mean gap between predicted and observed churn rate (ECE)"),
    "normalized_gini": Metric("normalised Gini", ".3f", "higher", "ranking of customers by value; 1 is perfect"),
    "spearman": Metric("Spearman", ".3f", "higher", "rank correlation of predicted and realised value"),
    "decile_mape": Metric("decile error", ".0%", "lower", "mean error of the predicted value of a tenth (MAPE)"),
    "value_deviance": Metric("value deviance", ".2f", "lower", "error of the expected value; 0 is exact (Tweedie 1.5)"),
    "mae": Metric("MAE", ".2f", "lower", "mean absolute error of a customer's value, in currency units"),
    "rmse": Metric("RMSE", ".2f", "lower", "root mean squared error of a customer's value, in currency units"),
    "r2": Metric("R²", ".2f", "higher", "share of the variance of value explained"),
    "total_bias": Metric("total bias", "+.1%", "nearer zero", "predicted total value against realised"),
    "interval_coverage": Metric("interval coverage", ".1%", "nearer 80%", "customers between their 10% and 90% points"),
    "mpc": Metric("MPC", ".3f", "higher", "profit per customer of the best cut, one CLV and save rate for all"),
    "empc": Metric("EMPC", ".3f", "higher", "MPC expected over an uncertain save rate"),
    "empb": Metric("EMPB", ".3f", "higher", "profit per customer of the best cut by risk, with each one's own CLV"),
    "best_cut_profit": Metric(
        "profit at the best cut", ".3f", "higher", "per customer, ranked by expected profit, the cut found afterwards"
    ),
    "own_cut_profit": Metric(
        "profit at its own cut", ".3f", "higher", "per customer, contacting all of whom the model expects a profit"
    ),
}

HEADLINE = ("roc_auc", "log_loss", "ece", "normalized_gini", "value_deviance", "decile_mape", "total_bias")
"""The main metrics of a model: in the report's first table, and stored with each version in the registry."""

MATURED_BATCH_METRICS = {
    "roc_auc": METRICS["roc_auc"],
    "ece": METRICS["ece"],
    "churn_rate_said": Metric("churn rate, predicted", ".1%", None, "mean churn probability"),
    "churn_rate": Metric("churn rate, observed", ".1%", None, "share that left"),
    "calibration_intercept": Metric("calibration intercept", "+.2f", "nearer zero", "above 0 more left than predicted"),
    "calibration_slope": Metric("calibration slope", ".2f", "nearer one", "below 1 the probabilities are too extreme"),
    "total_bias": METRICS["total_bias"],
}
"""The metrics of a batch of scores whose horizon has passed."""
