"""The customers of a past plan with what saving them was predicted to add, and what came since.

What came is counted over twice the horizon, the days that a log of moderate length has closed; gains are learned once
more for as many days, so that like is compared with like.
"""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.clock import DAY, microseconds
from features.histories.columns import Histories
from features.histories.signs_of_life import signs_of_life
from features.snapshots.labels import orders_and_margin
from models.ensemble.business_terms import Terms
from models.ensemble.recipe import Recipe
from models.scoring import scorer
from models.scoring.scorer import Scorer
from models.training.fitting import fit_gains_over
from pipelines.training.training_set import TrainingSet
from retention.measurement.gain_bracket import FEWEST_STAYERS


def worth_days(terms: Terms) -> int:
    """The days over which gains are compared with what came."""
    return 2 * terms.horizon_days


def listed_gains(
    training: TrainingSet,
    recipe: Recipe,
    model: Scorer,
    test: pd.DataFrame,
    histories: Histories,
    contacts: pd.DataFrame,
) -> pd.DataFrame | str:
    """The rows of `retention.measurement.gain_bracket.gain_bracket` for one day, or why there are none, in words.

    model: fitted on the training set of the day, with `worth_days` among its horizons. test: rows of that day.
    contacts: customer_id of the list.
    """
    days, day = worth_days(model.terms), training.timeline.as_of
    if histories.contractual:
        return "under a contract, customers do not order again once they have left: what came says nothing of the gain"
    if day + timedelta(days=days) > histories.end:
        return f"the {days} days after it have not closed"
    outcomes = training.stay_outcomes
    fitted = outcomes and fit_gains_over(model, outcomes, recipe, days=days, cost_share=training.cost_share)
    if not fitted:
        return "the log was too short to learn gains"
    rows = test[test["customer_id"].astype("str").isin(contacts["customer_id"])].reset_index(drop=True)
    if rows.empty:
        return "the list was empty"
    keeping, parts = fitted
    predicted = model.predict_frame(rows)
    margin, none = scorer.order_margin(model, predicted), scorer.churn_probability(model, predicted)
    gain = keeping.predict(predicted.data, churn_probability=none, order_margin=margin)[1]
    kept, later = parts.predict(predicted.data, order_margin=margin)
    none_longer = scorer.predict(model, rows, horizon_days=days)["churn_probability"].to_numpy()
    listed = pd.DataFrame(
        {
            "as_of": rows["as_of"],
            "customer_id": rows["customer_id"].astype("str"),
            "gain": gain,
            "kept": kept,
            "later": later,
            "return_probability": 1 - none_longer / none,
        }
    ).assign(**what_came(rows, histories, day=day, horizon_days=model.terms.horizon_days, days=days))
    once = int(listed["once"].sum())
    if once < FEWEST_STAYERS:
        return f"{once} of the list ordered exactly once, at least {FEWEST_STAYERS} are needed: raise the budget"
    return listed


def what_came(
    rows: pd.DataFrame, histories: Histories, *, day: date, horizon_days: int, days: int
) -> dict[str, np.ndarray]:
    """What the customers of some rows did after a day, by the names that `gain_bracket` gives it, (rows,) each."""
    table = pa.table({"customer_id": pa.array(rows["customer_id"].astype("str")), "as_of": [day] * len(rows)})
    orders, _ = orders_and_margin(histories, table, from_days=0, to_days=horizon_days)
    later_orders, _ = orders_and_margin(histories, table, from_days=horizon_days, to_days=days)
    _, came = orders_and_margin(histories, table, from_days=0, to_days=days)
    signs = signs_of_life(histories, as_of=histories.end)
    customer = pc.index_in(table["customer_id"], histories.customer_ids).to_numpy().astype(np.int64)
    silent = orders == 0
    return {
        "silent": silent,
        "once": orders == 1,
        "proven": silent & (signs.last[customer] >= microseconds(day) // DAY + horizon_days),
        "returned": silent & (later_orders > 0),
        "came": came,
    }
