"""Each opponent against its rule worked out another way; and a number for every customer."""

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from features.errors import Refusal
from models.btyd import bgnbd, gamma_gamma, pareto_nbd
from models.ensemble.baselines import fit_baselines

HORIZON, MARGIN = 90.0, 0.3
BTYD = {"bgnbd_gamma_gamma": bgnbd, "pareto_nbd_gamma_gamma": pareto_nbd}


def shop(customers: int, *, seed: int) -> pd.DataFrame:
    """Training rows at two cut-offs of a made-up shop: half order once; refunds, free orders and losses occur."""
    rng = np.random.default_rng(seed)
    orders = rng.geometric(0.5, customers)
    tenure = rng.uniform(1, 600, customers).round(2)
    recency = np.where(orders > 1, (tenure * rng.random(customers)).round(2), tenure)
    mean = rng.lognormal(3, 0.8, customers).round(2)
    first = np.where(rng.random(customers) < 0.02, 0.0, (mean * rng.uniform(0.5, 1.5, customers)).round(2))
    total = np.where(orders > 1, mean * orders, first).round(2)
    total[rng.random(customers) < 0.02] *= -1
    future = rng.poisson(0.6 * orders * np.exp(-recency / 200))
    last = rng.binomial(orders, 0.3) * (recency < HORIZON)
    return pd.DataFrame(
        {
            "customer_id": [f"{n:05}" for n in range(customers)],
            "as_of": pd.to_datetime(rng.choice(["2020-01-01", "2020-06-01"], customers)),
            "recency_days": recency,
            "tenure_days": tenure,
            "orders": orders.astype(float),
            "repeat_orders": orders - 1.0,
            "spend_total": total,
            "spend_mean": total / orders,
            "spend_first_order": first,
            "churned": future == 0,
            "future_orders": future,
            "future_value": (future * mean * MARGIN - 2.0 * (rng.random(customers) < 0.05)).round(2),
            "orders_last_90d": last,
            "spend_last_90d": (last * mean).round(2) - 5.0 * (rng.random(customers) < 0.05),
        }
    )


def latest_of(rows: pd.DataFrame) -> pd.DataFrame:
    """The features of the latest day, which come without labels."""
    return rows[rows["as_of"] == "2020-06-01"].drop(columns=["churned", "future_orders", "future_value"])


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return shop(1500, seed=4)


@pytest.fixture(scope="module")
def unseen() -> pd.DataFrame:
    return shop(400, seed=5).drop(columns=["churned", "future_orders", "future_value"])


@pytest.fixture(scope="module")
def opponents(rows):
    return fit_baselines(rows, latest_of(rows), horizon_days=HORIZON, margin_rate=MARGIN)


def test_every_customer_gets_a_finite_number_and_a_probability(opponents, unseen):
    assert list(opponents) == [*BTYD, "last_period", "hiatus", "rfm_logistic"]
    once = unseen["repeat_orders"] == 0
    assert once.any()
    for opponent in opponents.values():
        for rows in (unseen, unseen[once], unseen[~once]):
            said = opponent.predict(rows)
            assert said.churn_probability.shape == said.expected_value.shape == (len(rows),)
            assert ((said.churn_probability >= 0) & (said.churn_probability <= 1)).all()
            assert np.isfinite(said.expected_value).all()


@pytest.mark.parametrize("name", BTYD)
def test_buy_till_you_die_is_orders_times_spend_times_margin_fitted_on_the_latest_day(opponents, rows, unseen, name):
    latest = latest_of(rows)
    age = latest["tenure_days"]
    rate = BTYD[name].fit(latest["repeat_orders"], age - latest["recency_days"], age)
    repeaters = latest[latest["repeat_orders"] > 0]
    spent = (repeaters["spend_total"] - repeaters["spend_first_order"]).clip(lower=0)
    money = gamma_gamma.fit(repeaters["repeat_orders"], spent / repeaters["repeat_orders"])
    said = opponents[name].predict(unseen)
    for i, row in enumerate(unseen.head(60).itertuples()):
        past = [row.repeat_orders], [row.tenure_days - row.recency_days], [row.tenure_days]
        x = row.repeat_orders
        average = max(row.spend_total - row.spend_first_order, 0) / x if x else 0.0
        basket = money.p * (money.gamma + x * average) / (money.p * x + money.q - 1)
        orders = rate.expected_orders(HORIZON, *past)[0]
        assert said.expected_orders[i] == pytest.approx(orders)
        assert said.expected_value[i] == pytest.approx(orders * basket * MARGIN)
        assert said.churn_probability[i] == pytest.approx(1 - rate.probability_of_order(HORIZON, *past)[0])


def test_last_period_is_the_share_of_churners_and_the_margin_again_and_nobody_is_worth_nothing(opponents, rows, unseen):
    said = opponents["last_period"].predict(unseen)
    for ordered in (True, False):
        group = (unseen["orders_last_90d"] > 0) == ordered
        share = rows.loc[(rows["orders_last_90d"] > 0) == ordered, "churned"].mean()
        assert said.churn_probability[group] == pytest.approx(share)
    least = rows.loc[rows["orders_last_90d"] == 0, "future_value"].mean()
    assert least > 0
    again = [
        MARGIN * spent if count else least for count, spent in unseen[["orders_last_90d", "spend_last_90d"]].values
    ]
    np.testing.assert_allclose(said.expected_value, np.maximum(again, least))


@pytest.mark.parametrize(("label_days", "window"), [(20, 30), (60, 90), (130, 180), (273, 365), (730, 365)])
def test_last_period_is_the_window_of_the_features_nearest_to_the_labels_made_as_long(rows, label_days, window):
    longer = rows.assign(**{f"orders_last_{window}d": 1.0, f"spend_last_{window}d": 1e6})
    how = {"horizon_days": HORIZON, "margin_rate": MARGIN, "label_days": label_days}
    said = fit_baselines(longer, latest_of(longer), **how)["last_period"].predict(longer)
    assert said.expected_value == pytest.approx(1e6 * MARGIN * label_days / window)


def test_last_period_without_such_customers_falls_back_on_all(rows, unseen):
    quiet = rows.assign(orders_last_90d=0)
    said = fit_baselines(quiet, latest_of(quiet), horizon_days=HORIZON, margin_rate=MARGIN)["last_period"].predict(
        unseen
    )
    assert said.churn_probability == pytest.approx(rows["churned"].mean())


def pooled(x: pd.Series, y: pd.Series) -> pd.Series:
    """Isotonic regression: max over lower of the min over upper ends of the mean in between (Barlow et al. 1972)."""
    by = y.groupby(x).agg(["sum", "count"]).sort_index()
    total, count = by["sum"].cumsum().to_numpy(), by["count"].cumsum().to_numpy()
    before_total, before_count = np.append(0, total[:-1]), np.append(0, count[:-1])
    n = len(by)
    mean = np.full((n, n), np.inf)
    for low in range(n):
        mean[low, low:] = (total[low:] - before_total[low]) / (count[low:] - before_count[low])
    least = np.minimum.accumulate(mean[:, ::-1], axis=1)[:, ::-1]
    return pd.Series([least[: i + 1, i].max() for i in range(n)], index=by.index)


def test_hiatus_is_isotonic_regression(opponents, rows):
    said = opponents["hiatus"].predict(rows)
    churn = pooled(rows["recency_days"], rows["churned"].astype(float))
    value = pooled(rows["spend_total"], rows["future_value"])
    assert said.churn_probability == pytest.approx(churn[rows["recency_days"]].to_numpy())
    assert said.expected_value == pytest.approx(value[rows["spend_total"]].to_numpy())


def test_hiatus_stays_flat_beyond_what_it_saw(opponents, unseen):
    far = unseen.assign(recency_days=1e5, spend_total=1e9)
    said, knots = opponents["hiatus"].predict(far), opponents["hiatus"]
    assert (said.churn_probability == knots.churn_probability[-1]).all()
    assert (said.expected_value == knots.expected_value[-1]).all()


def test_rfm_logistic_is_the_penalised_likelihood_and_keeps_totals(opponents, rows):
    X = np.log1p(rows[["recency_days", "orders", "spend_mean"]].clip(lower=0).to_numpy())
    y = rows["churned"].to_numpy(float)

    def loss(beta):
        margin = beta[0] + X @ beta[1:]
        return np.sum(np.logaddexp(0, margin) - y * margin) + beta[1:] @ beta[1:] / 2

    best = minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-4}).x
    said = opponents["rfm_logistic"].predict(rows)
    assert said.churn_probability == pytest.approx(1 / (1 + np.exp(-(best[0] + X @ best[1:]))), abs=1e-4)
    assert said.churn_probability.mean() == pytest.approx(y.mean(), rel=1e-4)
    money = rows["future_value"].clip(lower=0)
    residual = (money - said.expected_value) / money.mean()
    assert residual.sum() == pytest.approx(0, abs=1e-3)
    assert residual @ X == pytest.approx(opponents["rfm_logistic"].value[1:], abs=1e-2)  # the score equation


def test_rfm_logistic_knows_no_currency(rows, unseen, opponents):
    pence = rows.assign(future_value=rows["future_value"] * 100)
    said = fit_baselines(pence, latest_of(pence), horizon_days=HORIZON, margin_rate=MARGIN)["rfm_logistic"].predict(
        unseen
    )
    assert said.expected_value == pytest.approx(100 * opponents["rfm_logistic"].predict(unseen).expected_value)


def test_rows_in_another_order_say_the_same(opponents, rows, unseen):
    mixed = rows.sample(frac=1, random_state=0)
    again = fit_baselines(mixed, latest_of(mixed), horizon_days=HORIZON, margin_rate=MARGIN)
    for name, opponent in again.items():
        for one, other in zip(opponent.predict(unseen)[:2], opponents[name].predict(unseen)[:2], strict=True):
            assert one == pytest.approx(other, rel=1e-4)


def test_opponents_are_plain_data(opponents):
    for opponent in opponents.values():
        assert json.dumps(asdict(opponent), allow_nan=False)  # raises on an array, an object, a NaN


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"churned": True}, "100% of 1500 training rows churned"),
        ({"churned": False}, "0% of 1500 training rows churned"),
        ({"future_value": 0.0}, "0.00 of value after them"),
    ],
)
def test_nothing_to_tell_apart_is_refused(rows, changes, says):
    with pytest.raises(Refusal, match=says):
        fit_baselines(rows.assign(**changes), latest_of(rows), horizon_days=HORIZON, margin_rate=MARGIN)
