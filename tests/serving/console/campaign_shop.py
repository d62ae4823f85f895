"""A shop that plans campaigns: its config, its scores as `score` leaves them, the console over its folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import httpx
import pandas as pd

from pipelines import run_folder
from pipelines.config import Config, load
from pipelines.serve import campaigns
from serving import settings
from serving.console.campaign_plans import CampaignPlans, campaign_plans
from serving.store import score_store as served
from tests.scored import scored as made_up
from tests.serving.child import child
from tests.serving.console.opened import TOKEN, Opened
from tests.shops import CALL, VOUCHER, config_of

DAY = date(2020, 1, 1)
COUNT = 400
STRANGE = "=cmd()<script>alert(1)</script>"
"""The id of the customer with whom a contact is expected to earn most."""
PLAN = """
[plan]
holdout_share = 0.2
do_not_contact = "list.csv"
quiet_days = 30
[plan.capacity]
phone = 60
"""
CONFIG = config_of(
    "orders.csv",
    data='treatments = "treatments.csv"',
    more=PLAN + VOUCHER.replace("save_rate = 0.2", "save_rate = { alpha = 4, beta = 16 }") + CALL,
)
SERVE = """
import sys
from pathlib import Path
from pipelines.config import load
from pipelines.screens.console import welcome
from pipelines.serve import campaigns
from serving import settings
from serving.processes.launch import serve

read = load(Path(sys.argv[1]))
environment = settings.worker_environment(
    scores=read.folder / "scores.store",
    model=Path(sys.argv[2]),
    campaigns=campaigns(read),
    order_log=read.log,
    folder=read.folder,
)
serve(
    port=0, token=sys.argv[3], environment=environment, app="serving.console.app:app", welcome=welcome
)
"""


def scored(count: int = COUNT, *, day: date = DAY) -> pd.DataFrame:
    """Scores of a day, as `score` tells them."""
    scores = made_up(count, day)
    scores.loc[(scores["expected_value"] * scores["churn_probability"]).idxmax(), "customer_id"] = STRANGE
    return scores


def shop_in(home: Path, scores: pd.DataFrame | None = None) -> Config:
    """The shop in an empty folder: 40 customers are on the list, 30 were contacted by a campaign ten days ago."""
    (home / "orders.csv").write_text("customer_id,ordered_at,amount\na,2019-01-01,1.00\n")
    (home / "list.csv").write_text("customer_id\n" + "".join(f"{i:04d}\n" for i in range(0, 80, 2)))
    booked = "".join(f"{i:04d},2019-12-22 09:00:00,winter,voucher,true\n" for i in range(100, 130))
    (home / "treatments.csv").write_text(f"customer_id,at,campaign,offer,treated\n{booked}")
    (home / "stayworth.toml").write_text(CONFIG)
    config = load(home / "stayworth.toml")
    score(config, scored() if scores is None else scores)
    return config


def score(config: Config, scores: pd.DataFrame) -> None:
    """Make these the latest scores, for the commands and for the console."""
    run_folder.write_table(config.folder / run_folder.SCORES, scores)
    about = served.BatchInfo(
        as_of=scores["as_of"].iloc[0].date(),
        horizon_days=90,
        model_version="abc",
        currency="USD",
        current_cut=1.0,
        future_cut=1.0,
        gain_cut=0.5,
        features={"orders": None},
    )
    with served.writing(config.folder / run_folder.SERVED_SCORES, about) as writer:
        writer.add(scores, scores[["customer_id"]].assign(orders=2.0))


@contextmanager
def planning_console(config: Config, *, model: Path = Path("/nonexistent")) -> Iterator[Opened]:
    """A console over the shop's folder for the block; it must end well and say nothing but its journal."""
    journal: list[dict] = []
    told = (str(config.home / "stayworth.toml"), str(model), TOKEN)
    with (
        child(SERVE, *told, home=config.home, lines=1, journal=journal) as (process, url, said),
        httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as client,
    ):
        yield Opened(url, said, client, config.folder, process, journal)


def planning_of(config, monkeypatch) -> CampaignPlans:
    """The plans as a worker of the console of this shop has them."""
    environment = settings.worker_environment(
        scores=config.folder / run_folder.SERVED_SCORES,
        model=config.home / "none",
        campaigns=campaigns(config),
        order_log=config.log,
        folder=config.folder,
    )
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for one in (settings.responses, settings.order_log, campaign_plans):
        one.cache_clear()
    settings.responses().scores.refresh()
    return campaign_plans()
