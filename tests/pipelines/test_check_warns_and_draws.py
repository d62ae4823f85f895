"""`check` shows its warnings, says money that was not read as unread, and draws the weeks of the log."""

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.pipelines.exports import ORDERS, csv, plain
from tests.shops import config_of


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """Writes the lines of the shop with some changes, and a config."""
    monkeypatch.chdir(tmp_path)

    def write(more: str = "", **columns) -> None:
        csv(Path("orders.csv"), plain(**columns))
        Path("stayworth.toml").write_text(config_of("orders.csv", more=more))

    return write


def amounts(unread: int) -> pd.Series:
    """The amounts of the lines, so many of them words."""
    return plain()["amount"].where(plain().index >= unread, "see note")


def test_a_warning_has_a_code_a_count_an_example_and_a_line_that_mends_it(shop, stayworth):
    shop(status="paid")
    assert json.loads(stayworth("check", "--json")[1])["warnings"] == []
    shop(status=["cancelled", "paid"] * (len(plain()) // 2) + ["paid"] * (len(plain()) % 2))
    [warning] = json.loads(stayworth("check", "--json")[1])["warnings"]
    assert warning.keys() == {"code", "message", "table", "column", "rows", "fix"}
    assert (warning["code"], warning["table"], warning["column"]) == ("status_is_no_purchase", "orders", "status")
    assert warning["rows"] == len(plain()) // 2
    section, _, line = warning["fix"].partition(" ")
    shop(status="cancelled", more=f"{section}\n{line}\n")
    assert stayworth("check")[0] == 2, "the line is taken as it stands: now no row is kept"
    assert "status_is_no_purchase" in _shown(shop, stayworth)


def _shown(shop, stayworth) -> str:
    shop(status="failed")
    return stayworth("check")[1]


@pytest.mark.parametrize(("unread", "code"), [(2, 0), (30, 1)])
def test_money_that_was_not_read_is_said_and_above_a_hundredth_is_a_no(shop, stayworth, unread, code):
    shop(amount=amounts(unread))
    exit_code, out, error = stayworth("check")
    assert exit_code == code
    assert "not read" in out
    assert "could not be read, such as 'see note'" in out
    assert ("their money is in no figure" in error) == (code == 1)


def test_the_page_draws_every_week_and_needs_no_network(shop, stayworth):
    shop(fee="1.00")
    code, out, error = stayworth("check", "--html", "check.html", "--json")
    assert code == 0, error
    weeks = pd.DataFrame(json.loads(out)["weeks"])
    expected = ORDERS.set_index("ordered_at").resample("W-MON", label="left", closed="left")["amount"]
    assert weeks["orders"].tolist() == expected.size().tolist()
    assert weeks["revenue"].tolist() == pytest.approx(expected.sum().tolist())
    assert pd.to_datetime(weeks["week"]).tolist() == expected.sum().index.tolist()
    page = Path("check.html").read_text("utf-8")
    assert "fee" in page
    assert 'src="http' not in page
    assert "<script" in page.split("</main>")[0]


def test_a_cell_is_escaped_on_the_page(shop, stayworth):
    shop(amount=plain()["amount"].where(plain().index > 0, "<img src=x>"))
    assert stayworth("check", "--html", "check.html")[0] == 0
    page = Path("check.html").read_text("utf-8")
    assert "<img src=x>" not in page
    assert "&lt;img src=x&gt;" in page
