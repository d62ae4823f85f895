"""BG/NBD, Pareto/NBD and Gamma-Gamma on the CDNOW 1/10 sample give the figures their authors printed."""

import pandas as pd
import pytest

from models.btyd import bgnbd, gamma_gamma, pareto_nbd

CALIBRATION_END = pd.Timestamp("1997-09-30")


@pytest.fixture(scope="module")
def sample(shared) -> pd.DataFrame:
    """frequency, recency, T in weeks and monetary_value of repeat orders; purchases of one day are one order."""
    lines = pd.read_parquet(shared / "cdnow" / "sample_transactions.parquet")
    days = lines[lines["ts"] <= CALIBRATION_END].groupby(["customer_id", "ts"], as_index=False)["amount"].sum()
    of = days.groupby("customer_id")
    first, last = of["ts"].min(), of["ts"].max()
    repeat = days[days["ts"] > days["customer_id"].map(first)].groupby("customer_id")["amount"].mean()
    return pd.DataFrame(
        {
            "frequency": of.size() - 1,
            "recency": (last - first).dt.days / 7,
            "T": (CALIBRATION_END - first).dt.days / 7,
            "monetary_value": repeat,
        }
    )


def test_bgnbd_parameters(sample):
    fitted = bgnbd.fit(sample["frequency"], sample["recency"], sample["T"])
    assert (fitted.r, fitted.alpha, fitted.a, fitted.b) == pytest.approx((0.243, 4.414, 0.793, 2.426), abs=0.01)
    assert fitted.log_likelihood == pytest.approx(-9582.4, abs=0.1)
    assert len(sample) == 2357


def test_bgnbd_in_days_is_bgnbd_in_weeks(sample):
    weeks = bgnbd.fit(sample["frequency"], sample["recency"], sample["T"])
    days = bgnbd.fit(sample["frequency"], sample["recency"] * 7, sample["T"] * 7)
    assert (days.r, days.alpha / 7, days.a, days.b) == pytest.approx((weeks.r, weeks.alpha, weeks.a, weeks.b))


def test_pareto_nbd_parameters(sample):
    """As printed beside those of BG/NBD in Fader, Hardie & Lee (2005)."""
    fitted = pareto_nbd.fit(sample["frequency"], sample["recency"], sample["T"])
    printed = (0.553, 10.578, 0.606, 11.669)
    assert (fitted.r, fitted.alpha, fitted.s, fitted.beta) == pytest.approx(printed, abs=0.001)
    assert fitted.log_likelihood == pytest.approx(-9595.0, abs=0.1)


def test_pareto_nbd_in_days_is_pareto_nbd_in_weeks(sample):
    weeks = pareto_nbd.fit(sample["frequency"], sample["recency"], sample["T"])
    days = pareto_nbd.fit(sample["frequency"], sample["recency"] * 7, sample["T"] * 7)
    found = (days.r, days.alpha / 7, days.s, days.beta / 7)
    assert found == pytest.approx((weeks.r, weeks.alpha, weeks.s, weeks.beta))


def test_gamma_gamma_parameters(sample):
    repeat = sample[sample["frequency"] > 0]
    fitted = gamma_gamma.fit(repeat["frequency"], repeat["monetary_value"])
    assert (fitted.p, fitted.q, fitted.gamma) == pytest.approx((6.25, 3.74, 15.44), abs=0.01)
    assert len(repeat) == 946
    assert gamma_gamma.fit(sample["frequency"], sample["monetary_value"]) == fitted  # one-time buyers say nothing


def test_expected_orders_of_the_customer_in_the_paper():
    published = bgnbd.BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, log_likelihood=-9582.4)
    assert published.expected_orders(39, [2], [30.43], [38.86]) == pytest.approx([1.226], abs=5e-4)
