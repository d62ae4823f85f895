"""`stayworth console`: what the config says reaches the processes that answer, and what is printed says what to do."""

from contextlib import nullcontext
from pathlib import Path

import pytest

from pipelines.config import load
from pipelines.screens.console import welcome
from serving import fetch, settings
from serving.processes import launch
from tests.shops import VOUCHER, config_of

TABLES = """
interactions = "postgresql://ann@db.example/shop#visits"
customers = "people.parquet"
exclude_products = ["TEST%"]
[columns.orders]
ordered_at = "Date"
"""
MORE = f"""
[features]
attributes = ["plan"]
[output]
folder = "out"
{VOUCHER}
"""


@pytest.fixture
def served(tmp_path, monkeypatch, stayworth):
    """What `serve` is called with by a command line."""

    def called(*options: str) -> dict:
        how: dict = {}
        monkeypatch.setattr(fetch, "following", lambda *_, **__: nullcontext())
        monkeypatch.setattr(launch, "serve", lambda **given: how.update(given))
        text = config_of("orders/*.csv", data=TABLES, more=MORE)
        text = text.replace('timezone = "UTC"', 'timezone = "Europe/Berlin"\nformat = "%d.%m.%Y"')
        (tmp_path / "stayworth.toml").write_text(text)
        code, _, error = stayworth("console", "-c", str(tmp_path / "stayworth.toml"), *options)
        assert code == 0, error
        return how

    return called


def test_the_log_the_folder_and_the_offers_arrive(served, tmp_path, monkeypatch):
    environment = served()["environment"]
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for one in (settings.order_log, settings.responses):
        one.cache_clear()
    try:
        assert settings.order_log() == load(tmp_path / "stayworth.toml").log
        assert settings.output_folder() == tmp_path / "out"
        answers = settings.responses()
        assert [offer.name for offer in answers.campaigns.offers] == ["voucher"]
        assert answers.scores.path == tmp_path / "out" / "scores.store"
    finally:
        for one in (settings.order_log, settings.responses):
            one.cache_clear()


def test_it_is_the_console_that_is_served_where_it_is_told(served):
    how = served("--port", "4000", "--host", "0.0.0.0", "--hosts", "a.example,b.example", "--workers", "3")
    assert how["app"] == "serving.console.app:app"
    assert (how["port"], how["host"], how["hosts"], how["processes"]) == (
        4000,
        "0.0.0.0",
        ["a.example", "b.example"],
        3,
    )
    how = served("--tokens", "t.toml", "--tls-cert", "c.pem", "--tls-key", "k.pem")
    assert (how["tokens_file"], how["tls_cert"], how["tls_key"]) == (Path("t.toml"), Path("c.pem"), Path("k.pem"))


def test_what_is_printed_says_what_to_open():
    assert "http://x:1/login#token=made" in welcome("http://x:1", "made")
    said = welcome("http://x:1", "$STAYWORTH_TOKEN")
    assert "http://x:1 " in said
    assert "TOKEN" not in said
