"""Small random customer bases: frames that agree with each other as those of `pipelines.reporting.report_data` do."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from retention.customer_base.customer_base import CustomerBase, EarlierScores
from retention.customer_base.segments import average_cuts, value_quadrants

AS_OF = date(2025, 1, 1)
DAY = pd.Timestamp(AS_OF).as_unit("us")
YEAR = pd.Timedelta(days=365)
KINDS = (
    *("visit", "email_open", "support_ticket", "complaint", "survey_score", "survey_delivery", "survey_price"),
    *("importance_delivery", "importance_price", "referral", "campaign_contact", "campaign_response", "recommendation"),
)
SURVEY_RANGE = (1.0, 10.0)
MONEY = ("gross", "refunded", "net_sales", "margin")


def small_base(
    *,
    seed: int = 0,
    customers: int = 60,
    with_discounts: bool = True,
    with_refunds: bool = True,
    with_costs: bool = True,
    with_interactions: bool = True,
    with_treatments: bool = True,
    with_people: bool = True,
    with_earlier: bool = True,
    contractual: bool = False,
    tiers: dict[str, float] | None = None,
) -> CustomerBase:
    """A base of three years before AS_OF. Some orders were refunded in full, of one in twelve customers all but one;
    some refunds are without an order. tiers: None for bronze 0, silver 200, gold 600."""
    rng = np.random.default_rng(seed)
    orders = _orders(rng, customers, discounts=with_discounts, refunds=with_refunds)
    costs = _rows(rng, customers, 3).assign(
        kind=lambda rows: rng.choice(["delivery", "service"], len(rows)),
        amount=lambda rows: rng.integers(50, 1500, len(rows)) / 100,
    )
    base = base_of(orders, customers=customers, costs=costs if with_costs else None, rng=rng)
    former = _former(rng) if contractual else None
    return replace(
        base,
        interactions=_interactions(rng, customers) if with_interactions else None,
        treatments=_treatments(rng, customers) if with_treatments else None,
        people=_people(rng, base.customers, former) if with_people else None,
        former=former,
        earlier=_earlier(rng, base) if with_earlier else None,
        tiers={"bronze": 0.0, "silver": 200.0, "gold": 600.0} if tiers is None else tiers,
        involuntary=frozenset({"moved away"}),
        survey_range=SURVEY_RANGE,
    )


def orders_of(rows: list[tuple[int, float, float]] | list[tuple[int, float, float, float]]) -> pd.DataFrame:
    """Orders written out: (customer, days before AS_OF, margin), with net 2 × margin or as the fourth number says; none
    discounted or refunded."""
    table = pd.DataFrame(
        [(*row, 2 * row[2])[:4] for row in rows], columns=["customer", "days_ago", "margin", "net"]
    ).astype({"customer": np.int64, "margin": float, "net": float})
    table["at"] = (DAY - pd.to_timedelta(table.pop("days_ago"), unit="D")).astype("datetime64[us]")
    return table.assign(gross=table["net"], discount=0.0, refunded=0.0, channel="web", stands=True)


def base_of(
    orders: pd.DataFrame,
    *,
    customers: int,
    costs: pd.DataFrame | None = None,
    rng: np.random.Generator | None = None,
    **scores: list[float],
) -> CustomerBase:
    """The base of these orders and costs; `scores` are random where they are not given, the segment is theirs."""
    rng = rng or np.random.default_rng(0)
    orders = orders.sort_values(["customer", "at"], kind="stable", ignore_index=True)
    table = _customers(orders, costs, customers)
    expected = rng.gamma(0.7, 60, customers)
    drawn = {
        "churn_probability": rng.beta(1, 1, customers),
        "expected_orders": expected / 30,
        "expected_value": expected,
        "value_p10": expected * 0.3,
        "value_p90": expected * 2,
        "clv": expected * rng.uniform(2, 8, customers),
    }
    drawn |= {
        "savable_probability": drawn["churn_probability"] / 2,
        "gain": drawn["churn_probability"] * drawn["clv"] / 4,
    }
    drawn |= {"clv_p10": drawn["clv"] * 0.3, "clv_p90": drawn["clv"] * 2}
    for name, values in drawn.items():
        table[name] = np.asarray(scores.get(name, values), dtype=float)
    current_cut, future_cut = average_cuts(table["sales_year"], table["clv"])
    segments = value_quadrants(
        *(table[name] for name in ("sales_year", "clv", "gain")),
        current_cut=current_cut,
        future_cut=future_cut,
        gain_cut=float("inf"),
    )
    table["segment"] = pd.Series(segments.tolist(), dtype="str")
    for name, noun in (("reason_1", "days since the last order"), ("reason_2", "visits"), ("reason_3", "complaints")):
        table[name] = [f"{number} {noun}" for number in range(2, customers + 2)]
    return CustomerBase(
        as_of=AS_OF,
        horizon_days=90,
        currency="EUR",
        gross_margin=0.4,
        annual_discount_rate=0.1,
        lifetime_days=1095,
        clv_cost_share=0.1,
        horizon_reach=0.2,
        customers=table,
        orders=orders,
        costs=costs,
    )


def _customers(orders: pd.DataFrame, costs: pd.DataFrame | None, count: int) -> pd.DataFrame:
    """Column by column as `pipelines.reporting.report_data` has them, the scores aside."""
    stand, last = orders[orders["stands"]], orders[orders["at"] >= DAY - YEAR]
    table = pd.DataFrame({"customer_id": [f"c{number:04d}" for number in range(count)]})
    table["first_order"] = stand.groupby("customer")["at"].min()
    table["last_order"] = stand.groupby("customer")["at"].max()
    table["orders"] = np.bincount(stand["customer"], minlength=count)
    for name in (*MONEY[:1], "discount", *MONEY[1:]):
        column = {"net_sales": "net"}.get(name, name)
        table[name] = orders.groupby("customer")[column].sum(min_count=1 if name == "discount" else 0)
    table["orders_year"] = np.bincount(last.loc[last["stands"], "customer"], minlength=count)
    table["sales_year"] = np.bincount(last["customer"], last["net"], minlength=count)
    table["margin_year"] = np.bincount(last["customer"], last["margin"], minlength=count)
    for name, days in (("cost_to_serve", None), ("cost_to_serve_year", YEAR)):
        booked = None if costs is None else costs if days is None else costs[costs["at"] >= DAY - days]
        table[name] = np.nan if booked is None else np.bincount(booked["customer"], booked["amount"], minlength=count)
    products = np.maximum(table["orders"], 1) * 1.0
    return table.assign(products=products, categories=np.minimum(products, 1 + table.index % 4))


def _orders(rng: np.random.Generator, customers: int, *, discounts: bool, refunds: bool) -> pd.DataFrame:
    """Everybody's first order, and up to some forty more after it."""
    first = rng.integers(1, 3 * 365, customers)
    more = rng.poisson(rng.gamma(0.8, 5, customers) * first / 700)
    number = np.concatenate([np.arange(customers), np.repeat(np.arange(customers), more)])
    days_ago = np.concatenate([first, np.ceil(rng.random(more.sum()) * np.repeat(first, more))])
    size, cents = len(number), rng.integers(500, 20_000, len(number))
    refunded = np.where(rng.random(size) < 0.12 * refunds, np.round(cents * rng.choice([0.25, 0.5, 1.0], size)), 0)
    refunded = np.where((number % 12 == 11) & refunds, cents, refunded)
    stays = len(number) - 1 - np.unique(number[::-1], return_index=True)[1]
    refunded[stays] = np.minimum(refunded[stays], cents[stays] // 2)
    rate = rng.uniform(-0.1, 0.6, size)
    orders = pd.DataFrame(
        {
            "customer": number,
            "at": DAY - pd.to_timedelta(days_ago * 86_400 - rng.integers(0, 86_400, size), unit="s"),
            "gross": cents / 100,
            "discount": np.where(rng.random(size) < 0.3, np.round(cents * 0.15), 0) / 100 if discounts else np.nan,
            "refunded": refunded / 100,
            "net": (cents - refunded) / 100,
            "margin": np.round((cents - refunded) * rate) / 100,
            "channel": rng.choice(["web", "shop", "app"], size),
            "stands": refunded < cents,
        }
    )
    alone = orders.sample(frac=0.02 * refunds, random_state=rng.integers(1 << 30)).assign(gross=0.0, stands=False)
    alone = alone.assign(discount=np.nan, refunded=5.0, net=-5.0, margin=-2.0, channel=None)
    both = pd.concat([orders, alone]) if len(alone) else orders
    return both.assign(at=both["at"].astype("datetime64[us]")).astype({"customer": np.int64, "channel": "str"})


def _rows(rng: np.random.Generator, customers: int, each: float) -> pd.DataFrame:
    """Some rows a customer over three years: customer and at."""
    size = rng.poisson(each * customers) + 1
    at = DAY - pd.to_timedelta(rng.integers(1, 3 * 365 * 86_400, size), unit="s")
    return pd.DataFrame({"at": pd.Series(at).astype("datetime64[us]"), "customer": rng.integers(0, customers, size)})


def _interactions(rng: np.random.Generator, customers: int) -> pd.DataFrame:
    rows = _rows(rng, customers, 3 * len(KINDS)).sort_values(["customer", "at"], ignore_index=True)
    code = rng.integers(0, len(KINDS), len(rows))
    rows["kind"] = pd.Categorical.from_codes(code, categories=list(KINDS))
    answered = rows["kind"].astype(str).str.startswith(("survey", "importance", "recommendation"))
    rows["value"] = np.where(answered, rng.integers(1, 11, len(rows)), np.nan)
    return rows[["customer", "at", "kind", "value"]]


def _treatments(rng: np.random.Generator, customers: int) -> pd.DataFrame:
    rows = _rows(rng, customers, 0.5)
    treated = rng.random(len(rows)) < 0.8
    return rows.assign(campaign="autumn", offer="voucher", treated=treated, cost=np.where(treated, 0.5, 0.0))


def _people(rng: np.random.Generator, customers: pd.DataFrame, former: pd.DataFrame | None) -> pd.DataFrame:
    """Everybody, who has left, and three who have not ordered; what some spend elsewhere is not known."""
    table = customers[["customer_id"]].assign(customer=customers.index, joined_at=customers["first_order"])
    waiting = pd.DataFrame({"customer_id": ["p1", "p2", "p3"], "customer": -1, "joined_at": DAY - YEAR / 5})
    left = None if former is None else former[["customer_id", "left_at", "left_reason"]]
    table = pd.concat([table, waiting], ignore_index=True)
    if left is None:
        table = table.assign(left_at=pd.NaT, left_reason=None)
    else:
        table = pd.concat([table, left.assign(customer=-1, joined_at=left["left_at"] - YEAR)], ignore_index=True)
    table = table.astype({"joined_at": "datetime64[us]", "left_at": "datetime64[us]", "left_reason": "str"})
    wallet = rng.gamma(3, 300, len(table))
    return table.assign(wallet_per_year=np.where(rng.random(len(table)) < 0.7, wallet, np.nan))


def _former(rng: np.random.Generator, count: int = 20) -> pd.DataFrame:
    """Who has left, some without a reason."""
    left_at = DAY - pd.to_timedelta(rng.integers(1, 700, count), unit="D")
    table = pd.DataFrame(
        {"customer_id": [f"f{number:02d}" for number in range(count)], "left_at": left_at.astype("datetime64[us]")}
    )
    table["left_reason"] = rng.choice(np.array(["price", "moved away", "service", None], object), count)
    table["orders"] = rng.integers(1, 9, count)
    table["net_sales"] = rng.integers(1000, 90_000, count) / 100
    table["margin"] = table["net_sales"] * 0.4
    return table.assign(margin_last_year=table["margin"] * 0.6)


def _earlier(rng: np.random.Generator, base: CustomerBase) -> EarlierScores:
    """A batch of 90 days before: who had ordered by then, with other scores, and one who has left since."""
    as_of = base.as_of - timedelta(days=90)
    known = base.customers[base.customers["first_order"] < pd.Timestamp(as_of)]
    table = known[["customer_id", "churn_probability", "expected_value", "clv", "segment"]].reset_index(drop=True)
    table["churn_probability"] = rng.beta(1, 1, len(table))
    table["clv"] *= rng.uniform(0.5, 1.6, len(table))
    table["segment"] = pd.Series(rng.choice(["VIP", "grow", "maintain", "let go"], len(table)).tolist(), dtype="str")
    gone = pd.DataFrame([("gone", 0.9, 3.0, 12.0, "let go")], columns=table.columns)
    clv = base.customers["clv"].to_numpy()
    steps = {"season": clv * rng.uniform(-0.2, 0.1, len(clv)), "model": clv * rng.normal(0, 0.1, len(clv))}
    return EarlierScores(
        as_of,
        pd.concat([table, gone], ignore_index=True) if len(table) else gone,
        base.customers[["customer_id"]].assign(**steps),
    )
