"""`check` of a log in a database names the database, and not the password in its URL."""

import json
from pathlib import Path

from tests.database import PASSWORD, SPELT
from tests.shops import config_of


def test_check_shows_where_the_orders_are_and_no_password(stayworth, tell, server, tmp_path, monkeypatch):
    tell(
        "drop table if exists shown cascade",
        """create table shown as select 'c' || n % 9 as customer_id, date '2020-01-01' + n as ordered_at,
           5.0 as amount from generate_series(1, 400) n""",
    )
    monkeypatch.chdir(tmp_path)
    Path("stayworth.toml").write_text(config_of(f"{server}#shown", horizon_days=30))
    code, printed, error = stayworth("check", "--json")
    assert code == 0, error
    host = server.split("@")[1]
    assert json.loads(printed)["orders"] == f"postgresql://ann@{host}#shown"
    kept = "".join(path.read_text() for path in tmp_path.rglob("*.json"))
    assert not any(secret in printed + error + kept for secret in (PASSWORD, SPELT))
