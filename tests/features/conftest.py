"""A shop in the PostgreSQL of the tests' own."""

import pytest


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
