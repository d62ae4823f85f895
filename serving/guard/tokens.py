"""Named tokens of clients, stored as SHA-256 only, and read again while the service runs.

A tokens file is TOML, one line per token; to revoke a token, delete its line:

    billing = "sha256:9f86d081884c7d65..."      printf %s "$TOKEN" | sha256sum
    nightly = "the token itself"                only in a file that nobody else may read (chmod 600)

A good token: python -c "import secrets; print(secrets.token_urlsafe(32))"
"""

import os
import re
import stat
import tomllib
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path

from features.errors import InputError
from serving import access_log

MIN_TOKEN_LENGTH = 16
"""Fewest characters of a token."""
MOST_BYTES = 1024 * 1024
"""Largest tokens file."""
REREAD_INTERVAL_S = 1.0
"""Seconds between two checks of the file."""


class Tokens:
    """Digests of the accepted tokens, by name.

    With a `path`, they follow that file: a change takes effect at the first request a second later. A file that cannot
    be used changes nothing, and the access log says so; a file without a token refuses everybody.
    """

    def __init__(self, digests: dict[str, bytes], path: Path | None = None) -> None:
        self.digests = digests
        self.path = path
        self.file_state = _state(path) if path else None
        self.checked_s = float("-inf")

    def name_of(self, token: bytes, *, now_s: float) -> str | None:
        """The name of a token, or None. All digests are compared in constant time; now_s: from a monotonic clock."""
        if self.path and now_s - self.checked_s >= REREAD_INTERVAL_S:
            self.checked_s = now_s
            self._reread(self.path)
        digest, owner = sha256(token).digest(), None
        for name, accepted in self.digests.items():
            if compare_digest(digest, accepted):
                owner = name
        return owner

    def _reread(self, path: Path) -> None:
        state = _state(path)
        if state == self.file_state:
            return
        self.file_state = state
        try:
            digests = _read(path)
        except InputError as error:
            access_log.write_event({"event": "tokens kept", "why": error.what, "tokens": len(self.digests)})
            return
        before, self.digests = self.digests, digests
        access_log.write_event(
            {
                "event": "tokens changed",
                "added": sorted(digests.keys() - before.keys()),
                "revoked": sorted(before.keys() - digests.keys()),
                "replaced": sorted(name for name in digests.keys() & before.keys() if digests[name] != before[name]),
            }
        )


def single_token(token: str) -> Tokens:
    """A single token, named `default`."""
    if not re.fullmatch(r"[!-~]+", token):
        raise InputError(
            "the token cannot be sent in a header",
            where="STAYWORTH_TOKEN",
            next="Use printable ASCII characters without spaces.",
        )
    return Tokens({"default": _digest(token)})


def tokens_from_file(path: Path) -> Tokens:
    """Tokens of a file, which is followed from now on."""
    # A change between the two reads of the file is noticed at the first request.
    tokens = Tokens({}, path)
    tokens.digests = _read(path)
    if not tokens.digests:
        raise InputError("the file holds no token", where=str(path), next='Add a line: name = "sha256:..."')
    return tokens


def _read(path: Path) -> dict[str, bytes]:
    """Read the digests by name; no message shows a token."""
    where = str(path)
    try:
        with path.open("rb") as file:
            mode, content = os.fstat(file.fileno()).st_mode, file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"the tokens cannot be read ({error.strerror})", where=where, next="Check the path after --tokens."
        ) from error
    try:
        lines = tomllib.loads(content.decode()) if len(content) <= MOST_BYTES else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        place = re.search(r"at (line \d+|end of document)", str(error))
        raise InputError(
            f"the file is not TOML ({place[0] if place else type(error).__name__})",
            where=where,
            next='A line is: name = "sha256:..."',
        ) from error
    if len(content) > MOST_BYTES:
        raise InputError(f"the file is larger than {MOST_BYTES:,} bytes", where=where, next="Is this the right file?")

    if mode & stat.S_IWOTH:
        raise InputError(
            "every user of this machine may write to the file, and so add tokens",
            where=where,
            next=f"Remove that right: chmod 600 {where}",
        )
    digests: dict[str, bytes] = {}
    for name, value in lines.items():
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}", name):
            raise InputError(
                f"{name[:70]!r} is not a name for a token",
                where=where,
                next="Use up to 64 letters, digits and _ . @ - in the name.",
            )
        digest = _of_line(value, name=name, where=where, private=not mode & (stat.S_IRWXG | stat.S_IRWXO))
        for earlier, accepted in digests.items():
            if accepted == digest:
                raise InputError(f"{earlier} and {name} have the same token", where=where, next="Give each its own.")
        digests[name] = digest
    return digests


def _of_line(value: object, *, name: str, where: str, private: bool) -> bytes:
    if not isinstance(value, str):
        raise InputError(f"the token of {name} is not text", where=where, next=f'Write {name} = "sha256:..."')
    if value.startswith("sha256:"):
        if not re.fullmatch(r"sha256:[0-9a-fA-F]{64}", value):
            raise InputError(
                f"the SHA-256 of {name} is not 64 hexadecimal digits",
                where=where,
                next='Make it with: printf %s "$TOKEN" | sha256sum',
            )
        return bytes.fromhex(value.removeprefix("sha256:"))
    if not re.fullmatch(rf"[!-~]{{{MIN_TOKEN_LENGTH},}}", value):
        raise InputError(
            f"the token of {name} is too short, or cannot be sent in a header",
            where=where,
            next=f"Use at least {MIN_TOKEN_LENGTH} printable ASCII characters without spaces.",
        )
    if not private:
        raise InputError(
            f"the token of {name} is in a file that others may read",
            where=where,
            next=f"Remove their right (chmod 600 {where}), or write the token as sha256:...",
        )
    return _digest(value)


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()


def _state(path: Path) -> tuple[int, ...] | None:
    """A key that changes when the file changes; None if there is no file."""
    try:
        stat_ = path.stat()
    except OSError:
        return None
    return stat_.st_mtime_ns, stat_.st_ctime_ns, stat_.st_size, stat_.st_ino
