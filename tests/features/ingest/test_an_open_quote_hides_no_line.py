"""A quote that is never closed runs lines together until the next quote: each of them is lost, and each is counted."""

import gzip

import pytest

from features.errors import InputError

LINES = [f"{number},2020-01-01,1.00" for number in range(30_000)]


@pytest.mark.parametrize("name", ["orders.csv", "orders.csv.gz"])
@pytest.mark.parametrize("closing", ['8,"2020-01-02",1.00', '8,2020-01-02,"1.00"', '"8",2020-01-02,"1.00"'])
def test_each_line_that_an_open_quote_runs_together_is_set_aside(read, tmp_path, name, closing):
    lines = ["customer_id,ordered_at,amount", *LINES[:25_000], '7,"2020-01-02,1.00', *LINES[25_000:25_020], closing]
    lines += [*LINES[25_020:26_000], "too short", *LINES[26_000:], ""]
    packed = gzip.compress if name.endswith(".gz") else bytes
    (tmp_path / name).write_bytes(packed("\n".join(lines).encode()))
    ingested = read(tmp_path / name)
    rows = {entry.what: entry.rows for entry in ingested.account.orders}
    assert rows["source"] == len(lines) - 2
    assert rows["quarantined: malformed line"] == ingested.quarantine.num_rows == 1 + 20 + 1 + 1
    assert rows["order lines accepted"] == 30_000 - 20


def test_a_quote_that_nothing_closes_is_refused_with_its_line(read, tmp_path):
    text = "\n".join(["customer_id,ordered_at,amount", *LINES[:29_990], '7,"2020-01-02,1.00', *LINES[29_990:], ""])
    (tmp_path / "orders.csv").write_text(text)
    with pytest.raises(InputError, match=r"orders\.csv, line 29992: breaks off, or a quote .* is never closed"):
        read(tmp_path / "orders.csv")
