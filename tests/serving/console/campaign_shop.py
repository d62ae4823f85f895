"""A shop that plans campaigns: its config, its scores as `score` leaves them, the console over its folder."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import httpx
import numpy as np
import pandas as pd

from pipelines import store
from pipelines.config import Config, load
from serving import store as served
from tests.serving.console.opened import TOKEN, Opened

DAY = date(2020, 1, 1)
COUNT = 400
STRANGE = "=cmd()<script>alert(1)</script>"
"""The id of the customer with whom a contact is expected to earn most."""
CONFIG = """
[data]
orders = "orders.csv"
treatments = "treatments.csv"
[time]
horizon_days = 90
[money]
currency = "USD"
gross_margin = 0.4
annual_discount_rate = 0.1
lifetime_days = 1095
[plan]
holdout_share = 0.2
do_not_contact = "list.csv"
quiet_days = 30
[plan.capacity]
phone = 60
[[offers]]
name = "voucher"
contact_cost = 0.5
incentive_cost = 5.0
save_rate = { alpha = 4, beta = 16 }
redeem_rate = 0.3
channel = "email"
[[offers]]
name = "call"
contact_cost = 3.0
incentive_share = 0.1
save_rate = 0.3
redeem_rate = 0.1
channel = "phone"
"""
SERVE = """
import sys
from pathlib import Path
from pipelines.config import load
from pipelines.console_cli import welcome
from pipelines.serve_cli import campaigns
from serving import settings
from serving.launch import serve

read = load(Path(sys.argv[1]))
told = settings.told(
    scores=read.folder / "scores.store",
    model=Path(sys.argv[2]),
    campaigns=campaigns(read),
    shop=read.log,
    folder=read.folder,
)
serve(port=0, token=sys.argv[3], tokens_file=None, told=told, app="serving.console.app:app", welcome=welcome)
"""


def scored(count: int = COUNT, *, day: date = DAY) -> pd.DataFrame:
    """Scores of a day, as `score` tells them."""
    draw = np.random.default_rng(4)
    value = draw.lognormal(3, 1, count)
    churn = draw.beta(4, 2, count)
    ids = np.array([f"{i:04d}" for i in range(count)], dtype=object)
    ids[np.argmax(value * churn)] = STRANGE
    return pd.DataFrame(
        {
            "customer_id": ids,
            "as_of": pd.Timestamp(day),
            "horizon_days": 90,
            "churn_probability": churn,
            "expected_orders": 2.0,
            "expected_value": value,
            "value_p10": value / 4,
            "value_p90": value * 2,
            "clv": value * 3,
            "segment": "grow",
            "reason_1": "=no order for 200 days",
            "reason_2": "few visits",
            "reason_3": None,
            "model_version": "abc",
        }
    )


def shop_in(home: Path, scores: pd.DataFrame | None = None) -> Config:
    """The shop in an empty folder: 40 customers are on the list, 30 were contacted by a campaign ten days ago."""
    (home / "orders.csv").write_text("customer_id,ordered_at,amount\na,2019-01-01,1.00\n")
    (home / "list.csv").write_text("customer_id\n" + "".join(f"{i:04d}\n" for i in range(0, 80, 2)))
    booked = "".join(f"{i:04d},2019-12-22 09:00:00,winter,voucher,true\n" for i in range(100, 130))
    (home / "treatments.csv").write_text(f"customer_id,at,campaign,offer,treated\n{booked}")
    (home / "stayworth.toml").write_text(CONFIG.replace("[time]\n", '[time]\ntimezone = "UTC"\n'))
    config = load(home / "stayworth.toml")
    score(config, scored() if scores is None else scores)
    return config


def score(config: Config, scores: pd.DataFrame) -> None:
    """Make these the latest scores, for the commands and for the console."""
    store.write_table(config.folder / store.SCORES, scores)
    about = served.About(
        as_of=scores["as_of"].iloc[0].date(),
        horizon_days=90,
        model_version="abc",
        currency="USD",
        current_cut=1.0,
        future_cut=1.0,
        features={"orders": None},
    )
    with served.writing(config.folder / store.SERVED_SCORES, about) as writer:
        writer.add(scores, scores[["customer_id"]].assign(orders=2.0))


@contextmanager
def planning_console(config: Config, *, model: Path = Path("/nonexistent")) -> Iterator[Opened]:
    """A console over the shop's folder for the block; it must end well and say nothing but its journal."""
    with tempfile.TemporaryFile("w+") as journal:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(config.home / "stayworth.toml"), str(model), TOKEN],
            env=os.environ | {"HOME": str(config.home)},
            stdout=subprocess.PIPE,
            stderr=journal,
            text=True,
        )
        try:
            said = process.stdout.readline()
            if not said:
                process.wait(20)
                journal.seek(0)
                raise AssertionError(journal.read())
            url = "http://127.0.0.1:" + said.split("http://127.0.0.1:")[1].split("/")[0].split()[0]
            headers = {"Authorization": f"Bearer {TOKEN}"}
            with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
                one = Opened(url, said, client, config.folder, process)
                yield one
        finally:
            process.terminate()
            process.communicate(timeout=20)
        journal.seek(0)
        one.journal += [json.loads(line) for line in journal]
    assert process.returncode == 0
