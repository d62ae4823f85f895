"""A PostgreSQL of the tests' own on loopback; without PostgreSQL's programs the tests that need it are skipped."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

PASSWORD = "pa55:w?rd"
SPELT = "pa55%3Aw%3Frd"


@pytest.fixture(scope="session")
def server():
    """The address of a new server, without its #ROWS, as its owner ann; it runs under an account that is not root."""
    if not (shutil.which("initdb") and shutil.which("postgres")):
        pytest.skip("needs PostgreSQL's initdb and postgres on the PATH")
    names = {account.pw_name for account in pwd.getpwall()}
    account = next((name for name in ("postgres", "nobody") if name in names), None)
    if os.geteuid() == 0 and account is None:
        pytest.skip("PostgreSQL does not run as root, and there is no account postgres or nobody")
    who = {"user": account, "extra_groups": []} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="stayworth-postgres-"))
    (folder / "password").write_text(PASSWORD)
    if who:
        shutil.chown(folder, account)
        shutil.chown(folder / "password", account)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    new = f"initdb -D {folder}/data -U ann -A scram-sha-256 --pwfile {folder}/password -E UTF8 --locale C --no-sync"
    subprocess.run(new.split(), check=True, stdout=subprocess.DEVNULL, cwd=folder, **who)
    settings = "listen_addresses=127.0.0.1 unix_socket_directories= fsync=off shared_buffers=1MB timezone=Asia/Kolkata"
    options = [word for setting in settings.split() for word in ("-c", setting)]
    with (folder / "log").open("w") as log:
        command = ["postgres", "-D", f"{folder}/data", "-p", str(port), *options]
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **who)
    try:
        deadline = time.monotonic() + 30
        while "ready to accept" not in (folder / "log").read_text():
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.05)
        yield f"postgresql://ann:{SPELT}@127.0.0.1:{port}/postgres"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def tell(server):
    """Sends statements to the server, each for good; gives the rows of the last."""
    dbapi = pytest.importorskip("adbc_driver_postgresql.dbapi", reason="needs the extra [postgres]")

    def send(*statements):
        with dbapi.connect(server, autocommit=True) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    return send


@pytest.fixture(scope="session")
def shop(server, tell):
    """A shop of two orders, in tables and a view of several names; gives the server's address."""
    tell(
        "create table orders (customer_id text, ordered_at date, amount numeric(12, 2))",
        "insert into orders values ('00123', '2020-01-01', 19.99), ('ann', '2020-02-03', -5.00)",
        "create schema sales",
        "create table sales.orders as select 'other' as customer_id",
        "create view \"Late orders\" as select * from orders where ordered_at > '2020-02-01'",
        'create table "odd ""table"".name-#@/;" as select 1 as "odd ""column"";"',
        'create table "Orders" as select 2 as n',
        'create table "select" as select 3 as n',
        "create sequence numbers",
    )
    return server
