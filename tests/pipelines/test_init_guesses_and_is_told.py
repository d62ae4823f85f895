"""`init` reads what it can off a file, is told what it cannot guess, and says what is wrong with the file."""

from pathlib import Path

import pytest

from tests.shops import config_of

HEAD = "customer_id,ordered_at,amount\n"


@pytest.fixture(autouse=True)
def _in_a_fresh_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def test_init_reads_the_ways_dates_are_written(stayworth):
    for number, (written, form) in enumerate(
        {"13.01.2020 10:30": "%d.%m.%Y %H:%M", "20200113": "%Y%m%d", "13 Jan 2020": "%d %b %Y"}.items()
    ):
        Path("orders.csv").write_text(f"Customer ID;Order Date;Total\n001;{written};5\n")
        code, _, error = stayworth("init", "orders.csv", "-o", f"{number}.toml")
        assert code == 0, error
        assert f'format = "{form}"' in Path(f"{number}.toml").read_text()


def test_init_takes_names_that_it_cannot_guess(stayworth):
    Path("orders.csv").write_text("Wer;Wann;Wieviel\n001;13.01.2020;5\n")
    code, _, error = stayworth("init", "orders.csv")
    assert code == 2
    assert "--column customer_id=NAME --column ordered_at=NAME --column amount=NAME" in error
    assert Path("stayworth.toml").read_text().count("FILL IN") == 3
    told = ["--column", "customer_id=Wer", "--column", "ordered_at=Wann", "--column", "amount=Wieviel"]
    code, _, error = stayworth("init", "orders.csv", *told)
    assert code == 0, error
    text = Path("stayworth.toml").read_text()
    assert all(line in text for line in ('customer_id = "Wer"', 'ordered_at = "Wann"', '"%d.%m.%Y"'))


@pytest.mark.parametrize(
    ("told", "hint"),
    [("customer=id", "did you mean 'customer_id'?"), ("amount=Totals", "did you mean 'Total'?"), ("amount", "Total")],
)
def test_init_told_of_a_column_that_is_not_there(stayworth, told, hint):
    Path("orders.csv").write_text("Customer ID;Order Date;Total\n001;2020-01-13;5\n")
    code, _, error = stayworth("init", "orders.csv", "--column", told)
    assert code == 2
    assert "there is no column" in error
    assert hint in error
    assert not Path("stayworth.toml").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (HEAD.encode(), "has no rows"),
        (b"\x00\x01\x02" * 50, "is not a table"),
        (None, "no such file"),
    ],
)
def test_init_of_a_file_that_cannot_be_used(stayworth, content, words):
    if content:
        Path("orders.csv").write_bytes(content)
    code, _, error = stayworth("init", "orders.csv")
    assert code == 2
    assert words in error
    assert not Path("stayworth.toml").exists()
    Path("stayworth.toml").write_text(config_of("orders.csv"))
    assert words in stayworth("check")[2]


def test_init_of_a_database_says_what_to_do_instead(stayworth):
    code, _, error = stayworth("init", "postgresql://ann:hunter2@db.example/shop#orders")
    assert code == 2
    assert "Give it a CSV of a few orders" in error
    assert "hunter2" not in error
    assert not Path("stayworth.toml").exists()
