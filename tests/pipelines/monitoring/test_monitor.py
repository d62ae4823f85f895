"""The command on a shop on disk: what it reads, writes, prints and exits with, and that `--retrain` asks the gate."""

import json
from datetime import UTC, date, datetime
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from features.errors import InputError, Refusal
from models.artifacts import bundle, registry
from pipelines import monitor as watching
from pipelines import run_folder
from pipelines.campaigns.past_campaigns import own_campaigns
from pipelines.campaigns.treatments import treatments_if_any
from pipelines.commands import monitor as monitor_cli
from pipelines.config import load
from pipelines.score import score
from pipelines.screens.monitor import show_monitor
from tests.shops import config_of

MADE, END = date(1998, 4, 2), date(1998, 7, 1)
NOW = datetime(1998, 7, 2, tzinfo=UTC)
HEADLINE = {"roc_auc": 0.8, "ece": 0.02, "total_bias": 0.03}
ACCEPTED = {"accepted": True, "reasons": [], "champion": "1"}
REFUSED = ACCEPTED | {"accepted": False, "reasons": ["G10 it is not worse than the champion: it is"]}


@pytest.fixture(scope="module")
def shop(tmp_path_factory, model, cdnow_path):
    """A fifth of CDNOW's customers and the champion made of them as of 1998-04-02, 90 days before the log ends."""
    folder = tmp_path_factory.mktemp("shop")
    orders = pd.read_parquet(cdnow_path)
    orders[orders["customer_id"].astype(int) % 5 == 0].to_parquet(folder / "orders.parquet")
    (folder / "stayworth.toml").write_text(config_of("orders.parquet"))
    place = folder / "logged" / registry.BUNDLE
    place.mkdir(parents=True)
    version = bundle.write(place, model, training={"as_of": MADE.isoformat()})[:12]
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    tags = {"bundle": version, "headline": json.dumps(HEADLINE)}
    with registry.session(uri) as client:
        registry.register(client, source=(folder / "logged").as_uri(), run_id=None, model_id=None, tags=tags)
    registry.set_champion(uri, "1")
    return folder


@pytest.fixture
def config(shop):
    return load(shop / "stayworth.toml")


def monitor(config, as_of=None):
    return watching.monitor(config, as_of=as_of, now=NOW, say=lambda _: None)


@pytest.fixture(scope="module")
def told(shop):
    return monitor(load(shop / "stayworth.toml"))


def test_a_model_that_is_right_is_left_in_peace(told):
    assert told["verdict"] == "fine"
    assert told["model"]["at_the_gate"] == HEADLINE
    assert (told["model"]["made_as_of"], told["as_of"]) == (MADE.isoformat(), END.isoformat())
    assert told["moved"]["days"] == 90
    assert {"churn_probability", "expected_value", "recency_days"} <= {
        one["column"] for one in told["moved"]["columns"]
    }


def test_it_is_written_as_it_is_told(config, told):
    written = json.loads((config.folder / "monitor.json").read_text())
    assert written == json.loads(json.dumps({name: told[name] for name in told if name != "written"}))


def test_scores_that_were_kept_are_judged_as_they_were_given_out(config, told):
    (again,) = told["matured"]
    assert (again["as_of"], again["until"], again["kept"]) == (MADE.isoformat(), END.isoformat(), False)
    score(config, as_of=MADE, now=NOW, output=None, say=lambda _: None)
    (kept,) = monitor(config)["matured"]
    assert kept["kept"]
    assert kept["figures"]["roc_auc"]["value"] == pytest.approx(again["figures"]["roc_auc"]["value"])


@pytest.mark.slow
def test_before_a_horizon_has_passed_it_says_when_scores_will_mature(config):
    told = monitor(config, as_of=date(1998, 5, 1))
    assert (told["matured"], told["first_matures"]) == ([], END.isoformat())


def test_days_it_knows_nothing_of_are_refused(config):
    with pytest.raises(InputError, match=r"1998-04-01: the champion was made as of 1998-04-02; before that day"):
        monitor(config, as_of=date(1998, 4, 1))
    with pytest.raises(InputError, match=r"1998-07-02: the orders end before 1998-07-01\n.*Load newer orders"):
        monitor(config, as_of=date(1998, 7, 2))


def test_without_a_champion_it_says_what_to_do(tmp_path, cdnow_path):
    (tmp_path / "stayworth.toml").write_text(config_of(cdnow_path))
    with pytest.raises(InputError, match=r"no model has the alias 'champion'\n.*stayworth train"):
        monitor(load(tmp_path / "stayworth.toml"))
    assert not (tmp_path / "runs" / "monitor.json").exists()


@pytest.fixture
def alarmed(shop, monkeypatch):
    """The shop, where amounts have come in cents since the model was made."""
    orders = pd.read_parquet(shop / "orders.parquet")
    late = orders["ordered_at"] >= MADE
    changed = orders.assign(amount=np.where(late, 100 * orders["amount"].astype(float), orders["amount"].astype(float)))
    changed.to_parquet(shop / "cents.parquet")
    asked = []

    def train(of, *, now, trials, **_):
        asked.append((of.folder, now, trials))
        gate = ACCEPTED if len(asked) == 1 else REFUSED
        return SimpleNamespace(registered="2", version="ab" * 6, promoted=gate["accepted"], metrics={"gate": gate})

    monkeypatch.setattr(watching, "train", train)
    (shop / "cents.toml").write_text(config_of("cents.parquet", more='[output]\nfolder = "cents"\n'))
    return shop / "cents.toml", asked


@pytest.fixture
def run():
    """Runs the command; returns its result as JSON, or as text, and what it raised."""
    app = typer.Typer()
    app.callback()(_clock)
    app.command()(monitor_cli.monitor)

    def command(*arguments):
        done = CliRunner().invoke(app, ["monitor", *map(str, arguments)])
        return done.stdout, done.exception

    return command


def _clock(context: typer.Context) -> None:
    context.obj = lambda: NOW


def test_an_alarm_is_exit_code_1_with_its_reasons(alarmed, run):
    out, raised = run("-c", alarmed[0], "--json")
    assert json.loads(out)["verdict"] == "retrain"
    assert isinstance(raised, Refusal)
    assert raised.exit_code == 1
    for said in ("features moved more than usual in 90 days", "money is off", "stayworth monitor --retrain"):
        assert said in str(raised)
    assert alarmed[1] == []


@pytest.mark.slow
def test_retrain_trains_and_the_gate_decides(alarmed, run):
    config, asked = alarmed
    out, raised = run("-c", config, "--retrain", "--trials", 3)
    assert raised is None
    assert "Retrained: version 2, bundle abababababab, alias champion." in " ".join(out.split())
    out, raised = run("-c", config, "--retrain", "--json")
    assert json.loads(out)["retrained"]["promoted"] is False
    assert isinstance(raised, Refusal)
    assert "G10" in str(raised)
    assert [trials for _, _, trials in asked] == [3, None]


def test_retrain_does_not_train_a_model_that_is_fine(alarmed, run, config):
    out, raised = run("-c", config.home / "stayworth.toml", "--retrain")
    assert raised is None
    assert alarmed[1] == []
    text = " ".join(out.split())
    assert "fine: version 1, made as of 1998-04-02, monitored as of 1998-07-01" in text
    for heading in ("Largest drift in 90 days", "calibration slope, nearer one is better", "tenth by value, USD"):
        assert heading in text


@pytest.fixture
def planned(shop, config):
    """Campaigns of three days: spring before the span, summer in it, autumn in it by its bookings."""
    for name, day in (("spring", "1998-01-01"), ("summer", "1998-05-01"), ("autumn", "1998-03-30")):
        chosen = pd.DataFrame({"customer_id": ["00005", "00010", "00015"], "treated": [True, False, False]})
        run_folder.write_table(config.folder / run_folder.PLANS / f"{name}.parquet", chosen)
        run_folder.write_json(config.folder / run_folder.PLANS / f"{name}.json", {"campaign": name, "as_of": day})
    booked = pd.DataFrame(
        {
            "customer_id": ["00010", "00020"],
            "at": pd.to_datetime(["1998-04-05", "1998-06-30"]),
            "campaign": ["autumn", "calls"],
            "offer": "voucher",
            "treated": True,
        }
    )
    booked.to_parquet(shop / "treatments.parquet")
    yield config
    for path in (config.folder / run_folder.PLANS).iterdir():
        path.unlink()


def arms(campaigns):
    return {
        name: dict(zip(rows["customer_id"], rows["treated"].tolist(), strict=True)) for name, rows in campaigns.items()
    }


def campaigns_of(config):
    return own_campaigns(config.folder / run_folder.PLANS, treatments_if_any(config, now=NOW), first=MADE, before=END)


def test_own_campaigns_are_those_planned_in_the_span(planned):
    found = campaigns_of(planned)
    assert arms(found) == {"summer": {"00005": True, "00010": False, "00015": False}}


@pytest.mark.usefixtures("planned")
def test_bookings_say_whom_a_campaign_reached_and_when(shop):
    with_bookings = config_of("orders.parquet", data='treatments = "treatments.parquet"')
    (shop / "booked.toml").write_text(with_bookings)
    found = arms(campaigns_of(load(shop / "booked.toml")))
    assert found["autumn"] == {"00005": True, "00010": True, "00015": False}
    assert found["calls"] == {"00020": True}
    assert set(found) == {"autumn", "calls", "summer"}


@pytest.mark.slow
def test_a_campaign_is_left_out_of_the_figures(planned):
    apart = monitor(planned)["matured"][-1]["own_campaigns"]
    assert (apart["treated"]["customers"], apart["held_out"]["customers"]) == (1, 2)


@pytest.fixture
def old_shop(tmp_path, model, cdnow_path):
    """A shop whose earlier model knew everything before 1997-06-01, and whose champion is that of 1998-04-02."""
    orders = pd.read_parquet(cdnow_path)
    orders[orders["customer_id"].astype(int) % 20 == 0].to_parquet(tmp_path / "orders.parquet")
    (tmp_path / "stayworth.toml").write_text(config_of("orders.parquet"))
    config = load(tmp_path / "stayworth.toml")
    for number, made in enumerate((date(1997, 6, 1), MADE), 1):
        logged = tmp_path / f"logged-{number}"
        place = logged / registry.BUNDLE
        place.mkdir(parents=True)
        version = bundle.write(place, model, training={"as_of": made.isoformat()})[:12]
        tags = {"bundle": version, "headline": json.dumps(HEADLINE)}
        with registry.session(config.tracking_uri) as client:
            registry.register(client, source=logged.as_uri(), run_id=None, model_id=None, tags=tags)

    def scored(number, day):
        registry.set_champion(config.tracking_uri, number)
        score(config, as_of=day, now=NOW, output=None, say=lambda _: None)
        registry.set_champion(config.tracking_uri, "2")
        return monitor(config)

    return scored


def test_lifetime_values_are_judged_when_a_year_has_passed_by_whatever_model_gave_them(old_shop):
    """Scores of a day that their model knew what came after are never judged."""
    for number, day in (("2", date(1997, 7, 1)), ("1", date(1997, 5, 1))):
        told = old_shop(number, day)
        assert (told["lifetimes"], told["lifetimes_mature"]) == (None, "1999-04-02")
    told = old_shop("1", date(1997, 6, 15))
    judged = told["lifetimes"]
    assert (judged["as_of"], judged["until"], told["lifetimes_mature"]) == ("1997-06-15", "1998-06-15", None)
    assert (judged["by_champion"], judged["kept"]) == (False, True)
    assert judged["said"] > 0 < judged["came"]


@pytest.mark.slow
def test_the_screen_says_how_lifetime_values_stand(old_shop, config, capsys):
    show_monitor(monitor(config))
    assert "No lifetime values can be judged yet: their first year passes on 1999-04-02." in capsys.readouterr().out
    show_monitor(old_shop("1", date(1997, 6, 15)))
    text = " ".join(capsys.readouterr().out.split())
    assert "Lifetime values of the " in text
    assert "known then, apart from the season: " in text
    assert "The lifetime values of 1997-06-15 by an earlier model (" in text
