"""The password of a database stands in no message, whatever it was taken for, and in no command line."""

import sys

import psutil
import pytest

from features.errors import InputError, StayworthError
from pipelines.cli import main
from serving import fetch

PASSWORD = "hush"
HOST = "127.0.0.1:1/shop"


@pytest.mark.parametrize(
    "orders",
    [
        f'["postgresql://ann:{PASSWORD}@{HOST}#orders"]',
        f'" postgresql://ann:{PASSWORD}@{HOST}#orders"',
        f'"postgresql:/ann:{PASSWORD}@{HOST}#orders"',
        f'" postgresql://ann:p@{PASSWORD}/p@{HOST}#orders"',
    ],
)
def test_a_config_that_names_a_database_wrongly_is_refused_without_it(tmp_path, monkeypatch, capsys, orders):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["stayworth", "check"])
    shop = '[time]\nhorizon_days = 90\ntimezone = "UTC"\n[money]\ncurrency = "EUR"\ngross_margin = 0.3\n'
    money = "annual_discount_rate = 0.1\nlifetime_days = 900\n"
    (tmp_path / "stayworth.toml").write_text(f"[data]\norders = {orders}\n{shop}{money}")
    with pytest.raises(SystemExit):
        main()
    said = capsys.readouterr().err
    assert "postgresql:" in said
    assert PASSWORD not in said


@pytest.mark.parametrize("where", [f"postgresql://ann:{PASSWORD}@{HOST}", f"/shop/postgresql:/ann:{PASSWORD}@{HOST}"])
def test_no_error_of_ours_holds_it(where):
    for error in (InputError("x", where=where), InputError(f"{where} is wrong"), StayworthError("x", next=where)):
        assert PASSWORD not in f"{error} {error.what} {error.where} {error.next}"
        assert "ann:…@127.0.0.1" in str(error)


def test_an_address_without_one_is_shown_whole():
    where = "https://mlflow.example:5000/a@b, sqlite:///mlflow.db, 10:30 ann@shop.example"
    assert str(InputError(where)) == where.replace(":5000/a@", ":…@")


def test_no_error_of_ours_steers_a_terminal():
    said = str(InputError("no column 'a\x1b[2Jb\x9b'", where="orders\r.csv", next="Rename it,\n\tor not."))
    assert said == "orders\\x0d.csv: no column 'a\\x1b[2Jb\\x9b'\n  Rename it,\n\tor not."


def test_who_lists_the_processes_does_not_see_that_of_the_registry(tmp_path):
    with fetch.following(f"postgresql://ann:{PASSWORD}@{HOST}", tmp_path, at_once=False):
        [child] = [one for one in psutil.Process().children() if "serving.fetch" in one.cmdline()]
        assert PASSWORD not in " ".join(child.cmdline())
        assert PASSWORD in child.environ()["STAYWORTH_REGISTRY"]
