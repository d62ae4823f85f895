"""Fit one counting model in its own environment: `python -m benchmarks.peers.btyd_fits LIBRARY MODEL FILE`.

FILE: npz with frequency, recency, T and monetary_value, one value per customer. The last line printed is JSON of the
seconds, the CPU seconds of all threads, and the parameters under our names. A fit of a thousand customers beforehand
loads libraries and compiled code and is not timed. Each library is used as in its manual: lifetimes with its defaults,
pymc-marketing by maximum a posteriori.
"""

import contextlib
import json
import sys
from collections.abc import Callable
from time import perf_counter, process_time
from typing import Any

import numpy as np

Customers = dict[str, np.ndarray]


def stayworth(model: str, customers: Customers) -> dict[str, float]:
    from models.btyd import bgnbd, gamma_gamma, pareto_nbd

    module: Any = {"bgnbd": bgnbd, "pareto_nbd": pareto_nbd, "gamma_gamma": gamma_gamma}[model]
    fitted = vars(module.fit(*_columns(model, customers)))
    return {name: value for name, value in fitted.items() if name != "log_likelihood"}


def lifetimes(model: str, customers: Customers) -> dict[str, float]:
    import lifetimes as library

    fitter = {"bgnbd": "BetaGeoFitter", "pareto_nbd": "ParetoNBDFitter", "gamma_gamma": "GammaGammaFitter"}[model]
    fitted = getattr(library, fitter)().fit(*_columns(model, customers))
    return {"gamma" if name == "v" else name: float(value) for name, value in fitted.params_.items()}


def pymc_marketing(model: str, customers: Customers) -> dict[str, float]:
    import pandas as pd
    from pymc_marketing import clv

    name = {"bgnbd": "BetaGeoModel", "pareto_nbd": "ParetoNBDModel", "gamma_gamma": "GammaGammaModel"}[model]
    names = ("frequency", "monetary_value") if model == "gamma_gamma" else ("frequency", "recency", "T")
    frame = pd.DataFrame(dict(zip(names, _columns(model, customers), strict=True)))
    fitted = getattr(clv, name)(frame.assign(customer_id=np.arange(len(frame))))
    fitted.fit(method="map", progressbar=False)
    result = fitted.fit_result
    parameters = {"bgnbd": "r alpha a b", "pareto_nbd": "r alpha s beta", "gamma_gamma": "p q v"}[model].split()
    return {
        "gamma" if parameter == "v" else parameter: float(np.ravel(result[parameter].to_numpy())[0])
        for parameter in parameters
    }


def _columns(model: str, customers: Customers) -> list[np.ndarray]:
    """The columns that a fit reads; for Gamma-Gamma only customers who came back."""
    if model == "gamma_gamma":
        again = customers["frequency"] > 0
        return [customers["frequency"][again], customers["monetary_value"][again]]
    return [customers["frequency"], customers["recency"], customers["T"]]


def main(library: str, model: str, path: str) -> None:
    fit: Callable[[str, Customers], dict[str, float]] = globals()[library]
    with np.load(path) as file:
        customers = dict(file)
    with contextlib.redirect_stdout(sys.stderr):
        fit(model, {name: column[:1000] for name, column in customers.items()})
        start, cpu_start = perf_counter(), process_time()
        parameters = fit(model, customers)
        seconds, cpu_seconds = perf_counter() - start, process_time() - cpu_start
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds, "parameters": parameters}))


if __name__ == "__main__":
    main(*sys.argv[1:])
