"""Customer equity, and the parts of its change since the last batch: what is news, the season, and another model."""

import pandas as pd

from retention.analyses.segment_moves import MISSING
from retention.customer_base.customer_base import CustomerBase, EarlierScores
from retention.presentation.analysis import Analysis, TableColumn, unavailable_analysis
from retention.presentation.charts import MONEY, waterfall
from retention.presentation.formatting import begin, day, listed, money

TITLE = "Customer equity and its change"
DEFINITION = (
    "Customer equity is the sum of all CLVs. Its change since the last batch of an earlier day is split into what is "
    "news of the customers, and what is not. Won: customers who are new since then. Lost: customers who are no longer "
    "scored, and those who were expected to bring at least one more order of theirs over the lifetime and no longer "
    "are. Grown and shrunk: all others, by whether their CLV rose or fell; passing time is part of both. Season: "
    "today's CLV of all customers less what it would be, had the season of the earlier day held. Model: today's CLV "
    "by today's model less that by the model of the earlier day. Customers won, lost, grown and shrunk are valued by "
    "the model of the earlier day, in its season."
)
SOURCE = "Rust, Lemon & Zeithaml (2004), Return on marketing, Journal of Marketing 68(1); Gupta & Lehmann (2005)."
NEWS = {
    "won": "{} customers were won",
    "lost": "{} were lost",
    "grown": "the value of {} grew",
    "shrunk": "the value of {} shrank",
}
"""The steps that are news, and their customers in words."""
FIRST, LAST = "equity before", "equity now"


def equity_change(
    before: pd.Series, now: pd.Series, order_margin: pd.Series, steps: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Table of the steps from the equity before to the equity now: step, customers and amount (currency units).

    before, now: CLV by customer_id; order_margin: that of one order of theirs, by customer_id, of all in `now`. steps:
    season, and model where it is another one: what these moved in `now`, by customer_id; None: not known.

    The steps between the first and the last add up to their difference. Wrong where the old model knows the customers
    badly: then their news is wrong, and the model's step makes up for it.
    """
    other = [] if steps is None else list(steps.columns)
    no_news = 0.0 if steps is None else steps.reindex(now.index).fillna(0.0).sum(axis=1)
    both = pd.DataFrame({"before": before, "now": now - no_news})
    new, gone = ~both.index.isin(before.index), ~both.index.isin(now.index)
    news = both["now"].fillna(0.0) - both["before"].fillna(0.0)
    one_order = order_margin.reindex(both.index)
    lost = gone | (~new & (both["before"] >= one_order) & (both["now"] < one_order))
    parts = {"won": new, "lost": lost, "grown": ~new & ~lost & (news > 0), "shrunk": ~new & ~lost & (news < 0)}
    rows: list[tuple[str, int | None, float]] = [
        (FIRST, len(before), before.sum()),
        *((name, int(parts[name].sum()), news[parts[name]].sum()) for name in NEWS),
        *((name, None, 0.0 if steps is None else steps[name].reindex(now.index).sum()) for name in other),
        (LAST, len(now), now.sum()),
    ]
    return pd.DataFrame(rows, columns=["step", "customers", "amount"])


def mean_order_margin(customers: pd.DataFrame) -> pd.Series:
    """The mean margin of an order of each customer, currency units, by customer_id; that of all where theirs is not
    positive, and 0 where that is not either.

    customers: customer_id, orders and margin.
    """
    table = customers.set_index("customer_id")
    own = table["margin"] / table["orders"].clip(lower=1)
    orders = int(table["orders"].sum())
    return own.where(own > 0, max(float(table["margin"].sum()) / orders, 0.0) if orders else 0.0)


def analyse(base: CustomerBase) -> Analysis:
    """The change since the last batch of an earlier day."""
    if base.earlier is None:
        return unavailable_analysis(TITLE, definition=DEFINITION, source=SOURCE, missing=MISSING)
    before = base.earlier.scores.set_index("customer_id")["clv"]
    now = base.customers.set_index("customer_id")["clv"]
    steps = None if base.earlier.steps is None else base.earlier.steps.set_index("customer_id")
    if steps is not None and base.earlier.is_same_model:
        steps = steps[["season"]]
    order_margin = mean_order_margin(base.customers) * (1 - base.clv_cost_share)
    table = equity_change(before, now, order_margin, steps)
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        table,
        {
            "step": TableColumn("Step", "text"),
            "customers": TableColumn("Customers", "count"),
            "amount": TableColumn("CLV", "money"),
        },
        _reading(table.set_index("step"), base.earlier, currency=base.currency),
        waterfall(
            table["step"].tolist(),
            table["amount"].tolist(),
            [True, *[False] * (len(table) - 2), True],
            title=f"sum of CLV ({base.currency})",
            form=MONEY,
        ),
        "What the season and another model moved could not be told apart and is part of the steps above: "
        f"{base.earlier.steps_unknown}."
        if base.earlier.steps_unknown
        else "",
    )


def _reading(table: pd.DataFrame, earlier: EarlierScores, *, currency: str) -> str:
    """The sentences: the news since the earlier day, then what season and model moved, then where equity stands."""
    amount = table["amount"]
    news = float(amount[list(NEWS)].sum())
    counts = {name: int(count) for name, count in table.loc[list(NEWS), "customers"].items() if count}
    parts = [f"{_in_words(name, count)} ({_signed(amount[name], currency)})" for name, count in counts.items()]
    apart = (
        "" if earlier.steps is None else f"apart from {'' if earlier.is_same_model else 'the model and '}the season, "
    )
    sentences = [
        f"{begin(apart + 'customer equity')} {'grew' if news >= 0 else 'fell'} by {money(abs(news), currency)} since "
        f"{day(earlier.as_of)}" + (f": {listed(parts)}" if parts else "")
    ]
    if earlier.steps is not None:
        model = (
            "the model is the same"
            if earlier.is_same_model
            else f"another model, on the same customers, by {_signed(amount['model'], currency)}"
        )
        sentences.append(f"The season alone moved it by {_signed(amount['season'], currency)}, and {model}")
    return ". ".join([*sentences, f"It is now {money(amount[LAST], currency)}."])


def _in_words(name: str, count: int) -> str:
    """The customers of a step that is news, in words."""
    text = NEWS[name].format(f"{count:,}")
    return text.replace("customers were", "customer was").replace("were", "was") if count == 1 else text


def _signed(amount: float, currency: str) -> str:
    """An amount of money with its sign, unless it is zero."""
    return f"{'+' if amount > 0 else ''}{money(amount, currency)}"
