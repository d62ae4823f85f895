"""A report of made-up scores, metrics and analyses, and a reader of its tags."""

from datetime import date
from html.parser import HTMLParser

import numpy as np
import pandas as pd

from pipelines.reporting.page import page as written
from retention.analyses.chapters import Chapter
from retention.economics.customer_equity import CustomerEquity
from retention.economics.offers import Offer
from retention.economics.profit_curve import profit_curve
from retention.planning.retention_plan import plan
from retention.presentation.analysis import Analysis, TableColumn, unavailable_analysis
from retention.presentation.charts import MONEY, bars
from tests.scored import all_savable

COUNT = 300
OFFER = Offer(name="voucher", contact_cost=0.5, incentive_cost=5, save_rate={"alpha": 4, "beta": 16}, redeem_rate=0.3)
NAMES = ["roc_auc", "log_loss", "ece", "normalized_gini", "spearman", "value_deviance", "decile_mape", "total_bias"]
UNKNOWN = ["log_loss", "ece", "value_deviance", "decile_mape"]  # of the baseline


def scored():
    draw = np.random.default_rng(9)
    value = draw.lognormal(2.5, 1, COUNT)
    scores = pd.DataFrame(
        {
            "customer_id": [f"secret-{i:04d}" for i in range(COUNT)],
            "as_of": pd.Timestamp("1998-07-01"),
            "horizon_days": 90,
            "churn_probability": draw.beta(4, 2, COUNT),
            "expected_value": value,
            "value_p10": value / 4,
            "value_p90": value * 2,
            "clv": value * 3,
            "clv_p10": value * 0.75,
            "clv_p90": value * 6,
            "segment": np.where(value > 12, "VIP", "let go"),
            "model_version": "3",
        }
    )
    return all_savable(scores)


def evaluated():
    def figures(value):
        return {name: {"value": value, "low": value - 0.01, "high": value + 0.01} for name in NAMES}

    nothing = {"value": None, "low": None, "high": None}
    return {
        "as_of": "1998-04-02",
        "horizon_days": 90,
        "customers": 280,
        "currency": "USD",
        "confidence": 0.95,
        "resamples": 200,
        "models": {"stayworth": figures(0.8), "hiatus": figures(0.7) | {"log_loss": nothing}},
        "differences": {"hiatus": figures(0.1) | dict.fromkeys(UNKNOWN, nothing)},
        "calibration": {"stayworth": [{"predicted": 0.2, "observed": 0.25, "low": 0.2, "high": 0.3, "customers": 280}]},
        "deciles": {"stayworth": [valued(9.0 - i) for i in range(8)]},
        "gains": {"stayworth": [k / 20 for k in range(21)]},
        "churn_gains": {"stayworth": [(k / 20) ** 0.5 for k in range(21)]},
        "coverage": {"stayworth": covered()},
        "profit": {
            "offer": {"name": "voucher", "contact_cost": 0.5, "incentive_cost": 5.0, "save_rate": 0.2},
            "models": {"stayworth": earned(30.0), "hiatus": earned(20.0)},
        },
    }


def valued(mean):
    return {"predicted": mean, "realised": mean - 0.5, "low": mean - 1, "high": mean, "customers": 28}


def covered():
    one = {"value": 0.8, "low": 0.75, "high": 0.85, "customers": 280}
    groups = {"overall": one, "below": one | {"value": 0.08}, "above": one | {"value": 0.12}}
    return groups | {"deciles": [one | {"predicted": 9.0 - i, "customers": 28} for i in range(10)]}


def earned(most):
    cut = {"share": 0.3, "customers": 84, "profit": most}
    return {"curve": [most * (k / 15 - (k / 30) ** 2) for k in range(101)], "best": cut, "own": cut}


def page(*, planned=True, offer=OFFER, **changed):
    scores = scored()
    made = plan(scores, [offer], budget=60, holdout_share=0.1, campaign="spring", salt="pepper")
    arguments = {
        "metrics": evaluated(),
        "scores": scores,
        "plan": made.frame if planned else None,
        "plan_summary": made.summary if planned else None,
        "profit_curve": profit_curve(scores, [offer], points=20) if planned else None,
        "title": "Our customers",
        "currency": "USD",
        "assumptions": [("Gross margin", "40%")],
        "reconciliation": [{"what": "read", "rows": 69659, "amount": 2500315.63}],
        "written_on": date(1998, 7, 2),
        "worth": CustomerEquity(scores["clv"].sum(), 5_000, 40_000, 2),
        "worth_by_segment": {"VIP": CustomerEquity(20_000, 15_000, 30_000, 2), "let go": CustomerEquity(70, 50, 90, 2)},
        "chapters": [
            Chapter(
                "Who brings it",
                {"first": made_up_analysis(), "second": unavailable_analysis("Costs", **made_up_texts())},
            )
        ],
    }
    return written(**arguments | changed)


def made_up_texts():
    return {"definition": "What is meant.", "source": "Somebody (1999)", "missing": "Name costs under [data]."}


def made_up_analysis(text="top"):
    table = pd.DataFrame({"tier": [text, "rest"], "value": [12_345.0, -1.5], "share": [0.75, None]})
    columns = {
        "tier": TableColumn("Tier", "text"),
        "value": TableColumn("Value", "money"),
        "share": TableColumn("of all", "percent"),
    }
    figure = bars(table["tier"], {"value": table["value"]}, title="value", form=MONEY)
    return Analysis("Pyramid", "By value.", "Pareto (1896)", table, columns, f"The {text} brings most.", figure)


class Outline(HTMLParser):
    """The tags of a page, with what is open and the text of each element."""

    VOID = ("meta", "link", "img", "br")

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"script", "style"} & set(self.open):
            self.text.append(data)

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())
