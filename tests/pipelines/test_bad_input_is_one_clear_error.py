"""What, where, how many, what next: one message, exit code 2, and nothing half-written."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines.cli import main
from tests.shops import config_of


@pytest.fixture
def stayworth(monkeypatch, capsys, tmp_path):
    """Runs a command in a fresh folder; returns exit code and standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["stayworth", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        return int(caught.value.code or 0), capsys.readouterr().err

    return run


def good_rows(rows: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.sort(rng.integers(0, 500, rows)), "D")
    return pd.DataFrame(
        {"customer_id": rng.integers(0, 60, rows), "ordered_at": days, "amount": rng.integers(1, 99, rows)}
    )


def configure(orders: str, horizon: int = 30, more: str = "") -> None:
    Path("stayworth.toml").write_text(config_of(orders, horizon_days=horizon, more=more))


def csv(text: str) -> None:
    Path("orders.csv").write_text(text)
    configure("orders.csv")


HEAD = "customer_id,ordered_at,amount\n"

CASES = {
    "missing column": (
        "customer_id,date,amount\na,2020-01-01,5\n",
        ["'ordered_at'", "found customer_id, date, amount"],
    ),
    "wrong type": (
        HEAD + "a,hello,5\nb,world,6\n",
        ["ordered_at is not a time in 2 of 2 rows", "'hello'", "time.format"],
    ),
    "empty file": ("", ["orders.csv", "is empty (0 bytes)"]),
    "header only": (HEAD, ["has no rows"]),
    "dates in the future": (
        HEAD + "a,2020-01-01,5\nb,2999-01-01,6\n",
        ["1 of 2 rows", "future", "2999-01-01", "row 2"],
    ),
    "amounts as words": (HEAD + "a,2020-01-01,five\nb,2020-01-02,six\n", ["2 of 2 rows", "'five'", "[read.orders]"]),
    "cut in a row": (
        HEAD + "a,2020-01-01,5.00\nb,2020-0",
        ["line 3", "breaks off in its last line", "Export it again"],
    ),
    "cut in a number": (HEAD + "a,2020-01-01,5.00\nb,2020-01-02,6.00\nc,2020-01-03,7.", ["breaks off", "'amount'"]),
    "not a table": ("\x00\x01\x02" * 50, ["is not a table"]),
    "refunds only": (HEAD + "a,2020-01-01,-5.00\n", ["no row is an order"]),
}


@pytest.mark.parametrize("case", CASES)
def test_a_file_that_cannot_be_used(stayworth, case):
    text, words = CASES[case]
    csv(text)
    code, error = stayworth("features", "--as-of", "2020-06-01", "-o", "out.parquet")
    assert code == 2
    assert all(word in error for word in words), error
    assert "Traceback" not in error
    assert sorted(path.name for path in Path().iterdir()) == ["orders.csv", "stayworth.toml"]


def test_two_currencies(stayworth):
    csv("customer_id,ordered_at,amount,currency\na,2020-01-01,5,USD\nb,2020-01-02,6,EUR\n")
    code, error = stayworth("check")
    assert code == 2
    assert "expected one currency, USD; found EUR in 1 rows, USD in 1 rows" in error


def test_times_without_a_zone_need_one(stayworth):
    csv(HEAD + "a,2020-01-01 10:00,5\nb,2020-01-02T10:00:00Z,6\n")
    config = Path("stayworth.toml")
    config.write_text(config.read_text().replace('timezone = "UTC"\n', ""))
    code, error = stayworth("check")
    assert code == 2
    assert "1 time in ordered_at carries no zone" in error
    assert "time.timezone" in error


def test_a_folder_without_tables_and_a_path_that_is_not_there(stayworth):
    Path("empty").mkdir()
    configure("empty")
    assert stayworth("check")[0] == 2
    configure("nowhere/*.csv")
    code, error = stayworth("check")
    assert code == 2
    assert "no file matches" in error


@pytest.mark.parametrize("place", [".", "./", "*.parquet"])
def test_our_own_output_is_never_read_as_orders(stayworth, place):
    """Every run writes Parquet files into runs/, which a folder of orders would have in it."""
    good_rows().to_parquet("orders.parquet")
    configure(place)
    for _ in range(2):
        code, said = stayworth("features", "--as-of", "2020-06-01", "-o", "rows.csv")
        assert code == (0 if "*" in place else 2)
    if code:
        assert all(words in said for words in ["data.orders", "output folder", "'runs'", '"./*.csv"'])
        assert not Path("runs").exists()


def test_a_truncated_parquet(stayworth):
    good_rows().to_parquet("orders.parquet")
    whole = Path("orders.parquet").read_bytes()
    Path("orders.parquet").write_bytes(whole[: len(whole) // 2])
    configure("orders.parquet")
    code, error = stayworth("train")
    assert code == 2
    assert "Export it again" in error


def test_too_little_history_for_the_horizon(stayworth):
    good_rows().to_csv("orders.csv", index=False)
    configure("orders.csv", horizon=900)
    code, error = stayworth("train")
    assert code == 2
    assert "are too few: 900 are needed" in error
    assert "horizon_days to 49" in error
    assert not Path("mlflow.db").exists()


@pytest.mark.parametrize("place", ["/proc/nothing/out.parquet", "a_file/out.parquet", "a_folder"])
def test_a_place_that_cannot_be_written_is_found_before_the_work(stayworth, place):
    Path("a_file").write_text("")
    Path("a_folder").mkdir()
    csv(HEAD + "a,2020-01-01,5\n")
    code, error = stayworth("features", "--as-of", "2020-06-01", "-o", place)
    assert code == 2
    assert place in error
    assert "-o" in error
    assert Path("a_file").read_text() == ""
    assert list(Path("a_folder").iterdir()) == []


def test_a_read_only_folder(stayworth, monkeypatch):
    """As root, permissions do not stop us; the operating system's refusal is what we are after."""
    from pipelines import run_folder

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    csv(HEAD + "a,2020-01-01,5\n")
    monkeypatch.setattr(run_folder.Path, "write_bytes", refuse)
    code, error = stayworth("features", "--as-of", "2020-06-01", "-o", "out.parquet")
    assert code == 2
    assert "cannot be written: Permission denied" in error


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[data\n", ["is not TOML"]),
        ("", ["3 problems", "'data' is missing", "'time' is missing", "'money' is missing"]),
        ("[time]\nhorizon_dayz = 3\n", ["unknown key 'time.horizon_dayz'", "did you mean 'horizon_days'?"]),
        (
            '[columns.orders]\norderd_at = "x"\n',
            ["'orderd_at' is not a column of orders", "did you mean 'ordered_at'?"],
        ),
        ('[time]\ntimezone = "Europe/Londn"\n', ["is not a time zone", "did you mean 'Europe/London'?"]),
        ("[money]\ngross_margin = 1.4\n", ["'money.gross_margin'", "less than or equal to 1", "found 1.4"]),
        ("[[offers]]\nname = 'x'\nsave_rate = 0.1\n", ["'offers.0.contact_cost' is missing"]),
    ],
)
def test_a_config_that_cannot_be_used(stayworth, text, words):
    Path("stayworth.toml").write_text(text)
    code, error = stayworth("check")
    assert code == 2
    assert all(word in error for word in words), error


def test_a_config_that_is_not_there_or_is_a_folder(stayworth):
    code, error = stayworth("check")
    assert code == 2
    assert "stayworth init" in error
    assert stayworth("check", "-c", ".")[0] == 2


@pytest.mark.parametrize("day", ["tomorrow", "2020-13-01", "01.12.2020"])
def test_a_day_that_is_none(stayworth, day):
    csv(HEAD + "a,2020-01-01,5\n")
    code, error = stayworth("features", "--as-of", day, "-o", "out.parquet")
    assert code == 2
    assert f"'{day}' is not a day" in error


def test_commands_say_which_command_comes_before(stayworth):
    csv(HEAD + "a,2020-01-01,5\n")
    offer = "[[offers]]\nname='v'\ncontact_cost=1.0\nincentive_cost=1.0\nsave_rate=0.1\nredeem_rate=0.1\n"
    with Path("stayworth.toml").open("a") as config:
        config.write(offer)
    code, error = stayworth("plan", "--budget", "100")
    assert code == 2
    assert "stayworth score" in error
    code, error = stayworth("report")
    assert code == 2
    assert "stayworth train" in error


def test_the_log_itself_is_never_written_over(stayworth):
    csv(HEAD + "a,2020-01-01,5\n")
    code, error = stayworth("features", "--as-of", "2020-06-01", "-o", "orders.csv")
    assert code == 2
    assert "is one of the log's own files" in error
    assert Path("orders.csv").read_text() == HEAD + "a,2020-01-01,5\n"


@pytest.mark.parametrize(("place", "words"), [(".", "is a folder"), ("f.xlsx", "must end in .parquet or .csv")])
def test_a_name_that_is_no_table(stayworth, place, words):
    csv(HEAD + "a,2020-01-01,5\n")
    code, error = stayworth("features", "--as-of", "2020-06-01", "-o", place)
    assert code == 2
    assert words in error


def test_a_day_before_the_first_order(stayworth):
    csv(HEAD + "a,2020-01-01,5\n")
    code, error = stayworth("features", "--as-of", "2019-06-01", "-o", "out.parquet")
    assert code == 2
    assert "no customer had ordered before 2019-06-01" in error


def test_a_quote_left_open_and_two_columns_of_one_name(stayworth):
    csv(HEAD + "a,2020-01-01,5\n" * 300 + '7,"2020-01-0')
    code, error = stayworth("check")
    assert code == 2
    assert "breaks off" in error
    csv("customer_id,ordered_at,amount,amount\na,2020-01-01,5,6\n")
    code, error = stayworth("check")
    assert code == 2
    assert "two columns are named 'amount'" in error


def test_a_command_that_fails_leaves_nothing_but_the_log_as_it_was_read(stayworth):
    good_rows().to_csv("orders.csv", index=False)
    configure("orders.csv", horizon=900)
    for command in (["train"], ["evaluate"], ["score", "--as-of", "2020-06-01"], ["report"]):
        assert stayworth(*command)[0] == 2
    assert sorted(path.name for path in Path().iterdir()) == ["orders.csv", "runs", "stayworth.toml"]
    assert [path.name for path in Path("runs").iterdir()] == ["histories"]


def test_ctrl_c_is_said(stayworth, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    configure("orders.csv")
    monkeypatch.setattr("pipelines.check.check", interrupted)
    code, error = stayworth("check")
    assert code == 130
    assert "stopped before the end" in error
