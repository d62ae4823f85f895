"""The access policy: tokens, host names and limits, passed to the workers by environment variables."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from features.errors import InputError
from serving.guard import tokens
from serving.guard.tokens import Tokens


@dataclass(frozen=True)
class AccessPolicy:
    """Tokens, host names and limits of the service.

    `hosts`: accepted host names beside the loopback ones; `most_in_flight`: requests at once, in each worker.
    """

    tokens: Tokens
    hosts: frozenset[str] = frozenset()
    most_bytes: int = 1024 * 1024
    most_in_flight: int = 64
    timeout_s: float = 10.0


def policy_from_environment(environment: Mapping[str, str]) -> AccessPolicy:
    """The policy that `serving/processes/launch.py` wrote into the environment."""
    most = environment.get("STAYWORTH_MOST_IN_FLIGHT", "")
    if file := environment.get("STAYWORTH_TOKENS"):
        accepted = tokens.tokens_from_file(Path(file))
    else:
        accepted = tokens.single_token(environment.get("STAYWORTH_TOKEN", ""))
    return AccessPolicy(
        tokens=accepted,
        hosts=host_names(environment.get("STAYWORTH_HOSTS", "").split(",")),
        most_in_flight=int(most) if most else AccessPolicy.most_in_flight,
    )


def host_names(names: Iterable[str]) -> frozenset[str]:
    """Normalise host names for comparison with Host headers: lower case, no final dot, without empty ones.

    >>> sorted(host_names(["Scores.Example.", "[::1]", ""]))
    ['[::1]', 'scores.example']
    """
    normalised = [name.strip().lower().removesuffix(".") for name in names if name.strip()]
    for name in normalised:
        if not re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]", name):
            raise InputError(
                f"{name[:100]!r} is not a host name",
                where="--hosts",
                next="Write each host as clients do, without scheme, port or *: --hosts scores.example,10.0.0.5",
            )
    return frozenset(normalised)
