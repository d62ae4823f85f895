"""The lookup over a scores.parquet: every row as written, and a clear no to a file that cannot be served."""

from datetime import date

import pandas as pd
import pytest

from features.errors import InputError
from serving.contract import ScoreResponse
from serving.lookup import load


def scores(**changed):
    columns = {
        "customer_id": ["00123", "123", "é 😀"],
        "as_of": pd.Timestamp("1998-04-02"),
        "horizon_days": 90,
        "churn_probability": [0.1, 0.2, 0.3],
        "expected_orders": [1.5, 1.25, 0.0],
        "expected_value": [10.0, -0.5, 0.1 + 0.2],
        "value_p10": 0.0,
        "value_p90": 20.0,
        "clv": [100.0, 50.0, 1 / 3],
        "segment": "loyal",
        "reason_1": ["62 days since the last order", "1 orders so far", None],
        "reason_2": ["3 orders so far", None, None],
        "reason_3": None,
        "model_version": "7",
    }
    return pd.DataFrame(columns | changed)


@pytest.fixture
def written(tmp_path):
    def write(frame):
        path = tmp_path / "scores.parquet"
        frame.to_parquet(path, index=False)
        return path

    return write


def test_rows_come_back_in_the_order_asked_to_the_last_bit(written):
    rows, unknown = load(written(scores())).find(["é 😀", "00123", "é 😀"])
    assert [row["customer_id"] for row in rows] == ["é 😀", "00123", "é 😀"]
    assert unknown == []
    assert rows[0]["clv"] == 1 / 3
    assert rows[0]["expected_value"] == 0.1 + 0.2
    assert rows[0]["reasons"] == []
    assert rows[1] == {
        "customer_id": "00123",
        "as_of": date(1998, 4, 2),
        "horizon_days": 90,
        "churn_probability": 0.1,
        "expected_orders": 1.5,
        "expected_value": 10.0,
        "value_p10": 0.0,
        "value_p90": 20.0,
        "clv": 100.0,
        "segment": "loyal",
        "reasons": ["62 days since the last order", "3 orders so far"],
        "model_version": "7",
    }


def test_the_answer_survives_the_wire(written):
    rows, unknown = load(written(scores())).find(["123", "é 😀", "x"])
    answer = ScoreResponse.model_validate({"scores": rows, "unknown": unknown})
    again = ScoreResponse.model_validate_json(answer.model_dump_json())
    assert again == answer
    assert [one.expected_value for one in again.scores] == [-0.5, 0.1 + 0.2]


def test_unknown_ids_are_listed_as_asked(written):
    rows, unknown = load(written(scores())).find(["0123", "123", "", "0123"])
    assert [row["customer_id"] for row in rows] == ["123"]
    assert unknown == ["0123", "", "0123"]


def test_a_batch_of_nobody_knows_nobody(written):
    assert load(written(scores().head(0))).find(["123"]) == ([], ["123"])


def refused(path):
    with pytest.raises(InputError) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_no_file(tmp_path):
    assert "no such file" in refused(tmp_path / "scores.parquet")
    assert "no such file" in refused(tmp_path)


def test_a_file_cut_in_the_middle(written):
    path = written(scores())
    path.write_bytes(path.read_bytes()[:-40])
    assert "no readable Parquet" in refused(path)


def test_a_file_with_a_flipped_page(written):
    path = written(scores())
    content = bytearray(path.read_bytes())
    content[4:60] = b"\xff" * 56
    path.write_bytes(content)
    assert refused(path)


def test_a_missing_column_is_named(written):
    assert "no column clv, segment" in refused(written(scores().drop(columns=["clv", "segment"])))


def test_ids_that_are_numbers_are_refused(written):
    assert "customer_id is int64, and ids are text" in refused(written(scores(customer_id=[1, 2, 3])))


def test_a_column_of_the_wrong_type(written):
    assert "wrong type" in refused(written(scores(clv=["a", "b", "c"])))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), None])
def test_a_number_that_is_none_is_counted(written, bad):
    assert "1 of 3 rows have no clv" in refused(written(scores(clv=[1.0, bad, 2.0])))


def test_a_missing_segment_is_counted(written):
    assert "2 of 3 rows have no segment" in refused(written(scores(segment=["loyal", None, None])))


def test_a_repeated_customer_is_counted(written):
    assert "1 of 3 rows repeat a customer_id" in refused(written(scores(customer_id=["1", "2", "1"])))
