"""Every notebook runs on small shops without an error or a warning, and its numbers are those of the commands."""

import json
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell

from pipelines.demo import write_demo_shop

pytestmark = pytest.mark.slow
FOLDER = Path(__file__).parents[2] / "notebooks"
SOONER = "import pytest\nfrom tests.shops import train_sooner\n\ntrain_sooner(pytest.MonkeyPatch())\n"
SIMULATED = "SHOP = Scenario(customers={customers}, days=730, seed=7, as_of=date(2025, 1, 1))\nTRIALS = 1\n"


@pytest.fixture
def executed(run):
    """Runs a notebook with other parameters after its own; returns it and what `facts` is then."""

    def with_parameters(name, parameters, facts):
        notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
        places = [place for place, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", [])]
        notebook.cells.insert(places[0] + 1, new_code_cell(SOONER + parameters))
        notebook.cells.append(new_code_cell(f"import json\nprint(json.dumps({facts}, default=str))"))
        run(notebook)
        return notebook, json.loads("".join(one.text for one in notebook.cells[-1].outputs))

    return with_parameters


@pytest.fixture
def tenth(tmp_path):
    """The config of the demo's shop with a tenth of its customers."""
    config = write_demo_shop(tmp_path / "shop")
    orders = pd.read_parquet(config.with_name("orders.parquet"))
    orders[orders["customer_id"].astype(int) % 10 == 0].to_parquet(config.with_name("orders.parquet"))
    return config


def pictures(notebook):
    outputs = [one for cell in notebook.cells for one in cell.get("outputs", [])]
    return sum("application/vnd.plotly.v1+json" in one.get("data", {}) for one in outputs)


def as_json(stayworth, *arguments):
    code, said, _ = stayworth(*arguments, "--json")
    assert code == 0
    return json.loads(said)


def test_customers_are_those_that_check_and_score_count(executed, tenth, stayworth):
    facts = '{"check": checked, "summary": summary, "clv": base.customers["clv"].sum(), "rows": len(base.customers)}'
    notebook, told = executed("01_know_your_customers", f"CONFIG = Path({str(tenth)!r})\nTRIALS = 1", facts)
    assert told["check"] == as_json(stayworth, "check", "-c", str(tenth))
    assert told["summary"] == as_json(stayworth, "score", "--as-of", told["check"]["end"], "-c", str(tenth))
    assert told["rows"] == told["summary"]["customers"] == 2357
    assert told["clv"] == pytest.approx(told["summary"]["clv"])
    assert pictures(notebook) > 0


def test_what_is_judged_by_hand_is_what_train_judged(executed, tenth, stayworth):
    parameters = f"CONFIG = Path({str(tenth)!r})\nTRIALS = 1\nRESAMPLES = 20"
    facts = '{"by_hand": metrics, "trained": trained.metrics, "registered": trained.registered}'
    notebook, told = executed("02_train_and_compare", parameters, facts)
    assert told["trained"] == json.loads(tenth.with_name("metrics.json").read_text())
    assert told["trained"]["alone"] is None
    for model, metrics in told["by_hand"]["models"].items():
        for name, one in metrics.items():
            assert one["value"] == pytest.approx(told["trained"]["models"][model][name]["value"]), f"{model} {name}"
    [version] = as_json(stayworth, "models", "list", "-c", str(tenth))
    assert (version["version"], version["aliases"]) == (told["registered"], ["champion"])
    assert pictures(notebook) == 6


def test_a_plan_is_that_of_the_command_and_its_truth_is_the_shops(executed, stayworth):
    parameters = SIMULATED.format(customers=4000) + "BUDGET = 2000.0"
    facts = '{"config": CONFIG, "summary": planned.summary, "draft": draft.summary, "outcome": outcome}'
    notebook, told = executed("03_plan_a_campaign", parameters, facts)
    config = Path(told["config"])
    after = config.parents[1] / "after"
    planned = as_json(stayworth, "plan", "--budget", "2000", "-c", str(config))
    [written] = planned["written"]
    assert told["summary"] | {"currency": "EUR", "written": [written], "replaced": True} == planned
    for name in ("chosen", "treated", "holdout", "break_even_save_rate"):
        assert told["draft"][name] == pytest.approx(planned[name], rel=0.01), "another name holds out others"
    listed = pd.read_csv(config.parent / "runs" / "contacts.csv", dtype={"customer_id": "str"})
    assert len(listed) == planned["chosen"]
    assert told["outcome"] == json.loads((after / "campaign_truth.json").read_text()) | {"folder": str(after)}
    assert told["outcome"]["treated"] == planned["treated"]
    truly = told["outcome"]["expected_lifetime_profit"]
    assert planned["profit_p10"] < truly < planned["profit_p90"], "as the notebook says"
    assert pictures(notebook) == 2


def test_a_readout_is_that_of_the_command(executed, stayworth):
    parameters = SIMULATED.format(customers=6000) + "BUDGET = 4000.0"
    facts = '{"config": CONFIG, "readout": readout, "outcome": outcome, "monitor": monitored, "rates": rates["now"]}'
    _, told = executed("04_read_a_campaign", parameters, facts)
    assert told["readout"] == as_json(stayworth, "readout", "-c", told["config"])
    assert told["readout"]["treated"] == told["outcome"]["treated"]
    assert len(told["rates"]) == len(told["readout"]["save_rates"]) > 0
    assert told["monitor"]["verdict"] in ("retrain", "watch", "fine")
    [batch] = told["monitor"]["matured"]
    assert batch["as_of"] == told["readout"]["day"]
    assert batch["own_campaigns"]["treated"]["customers"] == told["readout"]["treated"]
