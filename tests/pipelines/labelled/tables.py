"""Made-up label tables, small, with a signal that is known."""

import numpy as np
import pandas as pd


def customers(rows: int = 400, seed: int = 1, *, value: bool = False) -> pd.DataFrame:
    """Customers whose plan, tenure and complaints decide whether they leave; some cells are missing."""
    rng = np.random.default_rng(seed)
    plan = rng.choice(["monthly", "yearly"], rows)
    tenure = rng.integers(1, 60, rows)
    complaints = rng.poisson(0.7, rows)
    odds = 1.2 * (plan == "monthly") - tenure / 20 + 0.9 * complaints - 0.2
    left = rng.random(rows) < 1 / (1 + np.exp(-odds))
    table = pd.DataFrame(
        {
            "client": [f"{number:05d}" for number in range(rows)],
            "plan": plan,
            "tenure": tenure,
            "complaints": [
                str(count) if keep else "" for count, keep in zip(complaints, rng.random(rows) > 0.05, strict=True)
            ],
            "town": rng.choice([f"town {number}" for number in range(40)], rows),
            "since": pd.Timestamp("2025-01-01") - pd.to_timedelta(tenure * 30, unit="D"),
            "country": "NL",
            "left": np.where(left, "yes", "no"),
        }
    )
    table["since"] = table["since"].dt.strftime("%Y-%m-%d")
    return table.assign(brought=np.where(left, 20, 200) + rng.gamma(2, 10, rows).round(2)) if value else table
