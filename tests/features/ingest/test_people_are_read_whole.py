"""The table `customers` beyond features: who joined and never bought, who left and why, what they spend elsewhere."""

import pandas as pd
import pytest

from features.ingest.customers_table import read_customers_table
from features.ingest.log import Log


@pytest.fixture
def people(tmp_path):
    def read(text, **more):
        (tmp_path / "customers.csv").write_text(text)
        (tmp_path / "orders.csv").write_text("customer_id,ordered_at,amount\n007,2020-01-01,5\n")
        log = Log(
            str(tmp_path / "orders.csv"),
            customers=str(tmp_path / "customers.csv"),
            **({"currency": "EUR", "gross_margin": 0.4, "timezone": "UTC"} | more),
        )
        return read_customers_table(log, now_us=None).to_pandas()

    return read


def test_ids_stay_text_and_what_is_empty_stays_empty(people):
    found = people(
        "customer_id,joined_at,left_at,left_reason,wallet_per_year\n"
        "007,2019-12-01,,,1200.50\n"
        "=cmd(),2020-02-01T10:30:00,2020-05-01,moved away,\n"
    )
    assert found["customer_id"].tolist() == ["007", "=cmd()"]
    assert found["joined_at"].tolist() == [pd.Timestamp("2019-12-01"), pd.Timestamp("2020-02-01 10:30")]
    assert found["left_at"].isna().tolist() == [True, False]
    assert found["left_reason"].isna().tolist() == [True, False]
    assert found["wallet_per_year"].fillna(-1).tolist() == [1200.5, -1]


def test_a_table_of_ids_alone_is_enough(people):
    found = people("customer_id\n1\n2\n")
    assert len(found) == 2
    assert found.drop(columns="customer_id").isna().all(axis=None)


def test_what_cannot_be_read_is_missing(people):
    found = people("customer_id,wallet_per_year,joined_at\n1,50,2020-01-01\n2,lots,soon\n3,-5,\n")
    assert found["wallet_per_year"].fillna(-1).tolist() == [50, -1, -1]
    assert found["joined_at"].isna().tolist() == [False, True, True]
