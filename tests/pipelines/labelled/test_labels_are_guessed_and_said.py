"""`init --label` and `check` tell labels, ids and leaks apart, and refuse what is no label in one clear sentence."""

import json
from pathlib import Path

import numpy as np
import pytest

from pipelines.labelled.label_config import leaving_value
from tests.pipelines.labelled.tables import customers


@pytest.fixture(autouse=True)
def _in_a_fresh_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("values", "left"),
    [
        (("No", "Yes"), "Yes"),
        (("0", "1"), "1"),
        (("0.0", "1.0"), "1.0"),
        (("true", "false"), "true"),
        (("stayed", "left"), "left"),
        (("churned", "active"), "churned"),
    ],
)
def test_what_means_leaving_is_guessed(values, left):
    assert leaving_value(list(values), None, column="target", where="t") == left


@pytest.mark.parametrize("name", ["retained", "is_active", "Stayed", "renewed"])
def test_a_yes_to_staying_is_not_taken_for_leaving(stayworth, name):
    customers().rename(columns={"left": name}).to_csv("c.csv", index=False)
    code, _, error = stayworth("init", "c.csv", "--label", name)
    assert code == 2
    assert "cannot be guessed" in error
    assert "--column left=no" in error


def test_customers_of_lines_that_cannot_be_read_are_not_left_out(stayworth):
    customers().to_csv("c.csv", index=False)
    lines = Path("c.csv").read_text().splitlines()
    lines[41] += ",one,two"
    Path("c.csv").write_text("\n".join(lines) + "\n")
    code, _, error = stayworth("init", "c.csv", "--label", "left")
    assert code == 2
    assert "1 line cannot be read, the first is line 42" in error


def test_what_cannot_be_guessed_is_asked_for(stayworth):
    customers().assign(left=lambda rows: rows["left"].map({"yes": "A", "no": "B"})).to_csv("c.csv", index=False)
    code, _, error = stayworth("init", "c.csv", "--label", "left")
    assert code == 2
    assert "--column left=" in error
    assert not Path("stayworth.toml").exists()
    code, out, _ = stayworth("init", "c.csv", "--label", "left", "--column", "left=A")
    assert code == 0
    assert "left = A means left" in out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"left": "yes"}, "1 different value, not two: yes (400)"),
        ({"left": np.arange(400) % 3}, "3 different values, not two"),
        ({"left": np.arange(400) / 3}, "--column future_value=left"),
        ({"left": ["yes"] * 3 + ["no"] * 397}, "fewer than 10 rows of one kind"),
    ],
)
def test_a_label_without_two_values_is_refused(stayworth, change, words):
    customers().assign(**change).to_csv("c.csv", index=False)
    code, _, error = stayworth("init", "c.csv", "--label", "left")
    assert code == 2
    assert words in error
    assert not Path("stayworth.toml").exists()


def test_check_finds_leaks_ids_constants_and_missing_values(stayworth):
    table = customers()
    left = table["left"] == "yes"
    table = table.assign(account_no=np.arange(400) + 1000, empty="")
    table.to_csv("c.csv", index=False)
    assert stayworth("init", "c.csv", "--label", "left")[0] == 0
    code, out, _ = stayworth("check", "--json")
    assert code == 0
    content = json.loads(out)
    assert content["classes"] == {"no": int((~left).sum()), "yes": int(left.sum())}
    kinds = {column["column"]: column["kind"] for column in content["columns"]}
    assert {name for name, kind in kinds.items() if kind == "unused"} >= {"country", "empty", "account_no"}
    assert (kinds["plan"], kinds["complaints"], kinds["since"]) == ("names", "number", "day")
    code, out, _ = stayworth("check")
    assert code == 0
    assert "needs future_value in [columns.labelled]" in out


def test_a_leaking_column_is_found_and_refused_at_the_gate(stayworth):
    table = customers(300)
    table.assign(closed=np.where(table["left"] == "yes", "account closed", "")).to_csv("c.csv", index=False)
    assert stayworth("init", "c.csv", "--label", "left")[0] == 0
    content = json.loads(stayworth("check", "--json")[1])
    assert [leak["column"] for leak in content["leaks"]] == ["closed"]
    assert any('unused = ["closed"]' in warning["fix"] for warning in content["warnings"])


def test_a_customer_who_stands_twice_is_refused(stayworth):
    table = customers()
    assert stayworth("init", "c.csv", "--label", "left")[0] == 2
    table.to_csv("c.csv", index=False)
    assert stayworth("init", "c.csv", "--label", "left")[0] == 0
    table.assign(client=table["client"].replace("00001", "00000")).to_csv("c.csv", index=False)
    code, _, error = stayworth("check")
    assert code == 2
    assert "1 repeat a client" in error
