"""`python -m benchmarks.peers.btyd_fits LIBRARY MODEL FILE`: one fit of a buying model, alone in its environment.

FILE: npz with frequency, recency, T and monetary_value, a customer each. Prints, as the last line, JSON of the seconds,
the CPU seconds of all threads, and the parameters in our names. A fit of a thousand of the customers before loads
libraries and compiled code, and is not timed. Each library as its manual has it: lifetimes' defaults, pymc-marketing's
maximum a posteriori.
"""

import contextlib
import json
import sys
from collections.abc import Callable
from time import perf_counter, process_time
from typing import Any

import numpy as np

Customers = dict[str, np.ndarray]


def stayworth(model: str, of: Customers) -> dict[str, float]:
    from models.btyd import bgnbd, gamma_gamma, pareto_nbd

    module: Any = {"bgnbd": bgnbd, "pareto_nbd": pareto_nbd, "gamma_gamma": gamma_gamma}[model]
    fitted = vars(module.fit(*_columns(model, of)))
    return {name: value for name, value in fitted.items() if name != "log_likelihood"}


def lifetimes(model: str, of: Customers) -> dict[str, float]:
    import lifetimes as library

    fitter = {"bgnbd": "BetaGeoFitter", "pareto_nbd": "ParetoNBDFitter", "gamma_gamma": "GammaGammaFitter"}[model]
    fitted = getattr(library, fitter)().fit(*_columns(model, of))
    return {"gamma" if name == "v" else name: float(value) for name, value in fitted.params_.items()}


def pymc_marketing(model: str, of: Customers) -> dict[str, float]:
    import pandas as pd
    from pymc_marketing import clv

    name = {"bgnbd": "BetaGeoModel", "pareto_nbd": "ParetoNBDModel", "gamma_gamma": "GammaGammaModel"}[model]
    names = ("frequency", "monetary_value") if model == "gamma_gamma" else ("frequency", "recency", "T")
    frame = pd.DataFrame(dict(zip(names, _columns(model, of), strict=True)))
    fitted = getattr(clv, name)(frame.assign(customer_id=np.arange(len(frame))))
    fitted.fit(method="map", progressbar=False)
    found = fitted.fit_result
    parameters = {"bgnbd": "r alpha a b", "pareto_nbd": "r alpha s beta", "gamma_gamma": "p q v"}[model].split()
    return {"gamma" if one == "v" else one: float(np.ravel(found[one].to_numpy())[0]) for one in parameters}


def _columns(model: str, of: Customers) -> list[np.ndarray]:
    """What a fit reads; Gamma-Gamma only those who came back."""
    if model == "gamma_gamma":
        again = of["frequency"] > 0
        return [of["frequency"][again], of["monetary_value"][again]]
    return [of["frequency"], of["recency"], of["T"]]


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
