"""What cannot be read from a database is one clear error that says why and what next, and never tells a password."""

import socket
import sys

import pytest

from features.errors import InputError
from features.ingest.postgresql import read_batches, redacted
from tests.database import PASSWORD, SPELT


def read(url):
    with read_batches(url) as reader:
        return reader.read_all()


def refused(url):
    """What a URL is refused with."""
    with pytest.raises(InputError) as caught:
        read(url)
    return caught.value


@pytest.mark.parametrize(
    ("rows", "what", "next"),
    [
        ("#ordrs", 'relation "ordrs" does not exist', "Name one that exists: did you mean 'orders'?"),
        ("#sales.zzz", 'relation "sales.zzz" does not exist', "Name one that exists: "),
        ("#select * from ordrs", 'relation "ordrs" does not exist', "Correct what follows #"),
        ("#select amunt from orders", 'column "amunt" does not exist', "Correct what follows #"),
        ("#select from where", "syntax error", "Correct what follows #"),
        ("#select 1 as a, 2 as a", "two columns are named 'a'", "Rename one"),
        ("#select $1::int as a", "there is no parameter $1", "Correct what follows #"),
        ("#select 1 / 0 as a", "division by zero", ""),
        ("#delete from orders", "neither a table nor a query that reads", "#SELECT"),
        ("#a.b.c", "neither a table nor a query that reads", "#TABLE"),
        ("#", "names no rows", "#TABLE"),
        ("", "names no rows", "#SCHEMA.TABLE"),
    ],
)
def test_rows_that_cannot_be_read_are_one_clear_error(shop, rows, what, next):
    error = refused(shop + rows)
    assert what in error.what
    assert "\n" not in error.what
    assert next in error.next
    assert error.where == redacted(shop + rows)
    assert error.exit_code == 2


def test_who_may_not_read_is_told(shop, tell):
    tell(f"create role ben login password '{PASSWORD}'")
    error = refused(shop.replace("ann:", "ben:") + "#orders")
    assert error.what == "cannot be read: permission denied for table orders"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (("pa55", "wrong"), 'password authentication failed for user "ann"'),
        (("ann:", "eve:"), 'password authentication failed for user "eve"'),
        (("/postgres", "/nowhere"), 'database "nowhere" does not exist'),
        (("127.0.0.1", "nohost.invalid"), 'could not translate host name "nohost.invalid"'),
        (("/postgres", "/postgres?sslmode=require"), "SSL"),
        (("/postgres", "/postgres?colour=red"), 'invalid URI query parameter: "colour"'),
    ],
)
def test_who_cannot_connect_is_told_why(shop, change, what):
    error = refused(shop.replace(*change) + "#orders")
    assert error.what.startswith("cannot connect: ")
    assert what in error.what
    assert "PGPASSWORD" in error.next


def test_a_port_where_nobody_listens():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        error = refused(f"postgresql://ann@127.0.0.1:{taken.getsockname()[1]}/shop#orders")
    assert "refused" in error.what


def test_the_password_may_stand_where_libpq_looks_for_it(shop, monkeypatch, tmp_path):
    bare = shop.replace(f":{SPELT}", "")
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))
    assert "no password supplied" in refused(f"{bare}#orders").what
    (tmp_path / "pgpass").write_text("*:*:*:ann:" + PASSWORD.replace(":", "\\:"))
    (tmp_path / "pgpass").chmod(0o600)
    assert read(f"{bare}#orders").num_rows == 2
    monkeypatch.delenv("PGPASSFILE")
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    assert read(f"{bare}#orders").num_rows == 2


@pytest.mark.parametrize(
    "mark", ["", "@", "#", "/", ":", "?", "%", "%zz", "%00", " ", "\t", "@#", "#@", "/#", "&", "[", "é"]
)
@pytest.mark.parametrize("rows", ["#orders", "#nowhere", "", "#drop table orders", "#select 1 / 0 as x"])
def test_no_message_tells_a_password(shop, mark, rows):
    """Whatever mark stands unescaped in it, and whatever goes wrong."""
    url = shop.replace(SPELT, f"hush{mark}quiet") + rows
    for shown in (str(refused(url)), redacted(url)):
        assert "hush" not in shown
        assert "quiet" not in shown


@pytest.mark.parametrize(
    "settings", ["?password=hush", "?user=ann&password=hush", "?sslpassword=hush&password=%zzhush"]
)
def test_no_message_tells_a_password_among_the_settings(shop, settings):
    url = shop.replace(f"ann:{SPELT}@", "") + f"{settings}#orders"
    assert "hush" not in str(refused(url)) + redacted(url)


@pytest.mark.parametrize("url", ["mysql://ann:hush@host/shop#orders", "s3://bucket/o.csv", "POSTGRESQL+x://h/b#t"])
def test_another_kind_of_database_is_refused(url):
    error = refused(url)
    assert error.what == f"'{url.partition('://')[0]}' is not a kind of database we read"
    assert "postgresql://" in error.next
    assert "hush" not in str(error)


def test_without_the_driver_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql", None)
    error = refused("postgresql://ann:hush@host/shop#orders")
    assert error.where == "postgresql://ann@host/shop#orders"
    assert error.next == "Install it: pip install 'stayworth[postgres]'"
