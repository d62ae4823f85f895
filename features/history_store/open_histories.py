"""The histories of a log, from the store where they are there: a log is read once.

    opened      nothing changed since the log was read
    added to    files or lines came to it, and nothing else changed
    made        anything else: the log is read anew

A store that cannot be written is never in the way: the histories are then made in a folder that vanishes.
"""

import errno
import tempfile
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path

from features.errors import InputError
from features.history_store.append_rows import append_rows
from features.history_store.asked_log import CUSTOMERS, FOUND, AskedLog, Inspection, code_hash
from features.history_store.build_rows import write_rows
from features.history_store.customer_rows import write_customers
from features.history_store.entry import Entry, entries, open_entry, remember, remove, remove_drafts, writing_entry
from features.history_store.grown_files import has_grown, text_hashes
from features.history_store.new_rows import CannotAppend
from features.history_store.parts import TABLES, duckdb_memory_bytes
from features.history_store.source_files import (
    Added,
    SourceFile,
    Sources,
    added_files,
    limited_to_files,
    source_files,
)
from features.history_store.stored_log import StoredLog, ids_of, stored_log
from features.ingest.log import Log
from features.ingest.open_log import JudgedRows, Reading
from features.ingest.reading import reading
from features.ingest.table_checks import FUTURE

OPENED, ADDED, MADE = HOW = ("opened", "added to", "made")
"""How histories came from the store."""


def open_histories(
    log: Log,
    *,
    home: Path | None,
    now_us: int | None,
    memory_bytes: int,
    before_us: int | None = None,
    limit_bytes: int | None = None,
    is_fresh: bool = False,
    inspect: Inspection | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> StoredLog:
    """The histories of a log; raises InputError as `reading` does, having changed nothing.

    home: the folder of the store; None: nothing is kept. now_us: rows after it are in the future (None: not
    checked). memory_bytes: the memory that the reading may take. before_us: leave out rows from then on (nothing is
    kept). limit_bytes: the most that the store may have; the entries of other logs make way. is_fresh: read the
    log anew, whatever is there. inspect: look at the open log, and keep what that finds (`StoredLog.found`).
    """
    asked = AskedLog(log, home or Path(), now_us, memory_bytes, before_us, None, None, say, limit_bytes, inspect)
    why = ""
    if home and before_us is None:
        try:
            rows, customers = source_files(log, TABLES), source_files(log, [CUSTOMERS])
            asked = replace(asked, sources=rows, of_customers=customers)
            if rows is not None:
                # Only these files are read: one that arrives meanwhile is new the next time.
                return _kept(replace(asked, log=limited_to_files(log, rows | (customers or {}))), is_fresh=is_fresh)
        except OSError as error:
            why = f"the store cannot be used ({error.strerror or error}): the log will be read again next time"
            say(why)
    folder = Path(tempfile.mkdtemp(prefix="stayworth-histories-"))
    try:
        made = _made(replace(asked, home=folder))
    except OSError as error:
        remove(folder)
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            what, next_ = "there is no room to sort the log", "Make room, or set TMPDIR to a folder on another disk."
            raise InputError(what, where=tempfile.gettempdir(), next=next_) from None
        where = str(error.filename or log.source("orders").label("orders"))
        raise InputError(f"cannot be read: {error.strerror or error}", where=where) from None
    except BaseException:
        remove(folder)
        raise
    stored = stored_log(log, *made, how=why or MADE)
    weakref.finalize(stored, remove, folder)
    return stored


def _kept(asked: AskedLog, *, is_fresh: bool) -> StoredLog:
    """The histories from the store, in which they are then."""
    rows = None if is_fresh else open_entry(asked.home, asked.rows_name)
    how = OPENED
    if rows is None or not holds_at(rows, asked.now_us):
        how = MADE
        before = None if is_fresh else _with_fewer_files(asked)
        if before is not None:
            try:
                rows, how = _added(asked, before), ADDED
            except CannotAppend as error:
                asked.say(f"reading the whole log again: {error}")
        if how == MADE:
            made = _made(asked)
            _make_way(asked, [entry for entry in made if entry])
            return stored_log(asked.log, *made, how=how)
    assert rows is not None
    used = (rows, _customers(asked, rows), _inspected(asked, rows))
    if how == ADDED:
        _make_way(asked, [entry for entry in used if entry])
    return stored_log(asked.log, *used, how=how)


def holds_at(rows: Entry, now_us: int | None) -> bool:
    """True if the same rows are in the future now as when the entry was made; now_us: None asks for none."""
    first = [us for us in rows.about["future_us"].values() if us is not None]
    if now_us is None:
        return not first
    judged = [(table, JudgedRows(*group)) for table, groups in rows.about["judged"].items() for group in groups]
    latest = [group.latest_us or now_us for table, group in judged if group.reason != FUTURE[table]]
    return all(us <= now_us for us in latest) and all(now_us < us for us in first)


def _with_fewer_files(asked: AskedLog) -> tuple[Entry, dict[str, Added]] | None:
    """The entry of the same log with the most of its files, and the new files by table."""
    assert asked.sources is not None
    found = []
    for entry in entries(asked.home):
        if entry.about.get("settings") != asked.settings:
            continue
        added = added_files(_sources(entry), asked.sources, partial(has_grown, hashes=entry.about["texts"]))
        if added:
            found.append((-_files(_sources(entry)), entry.folder.name, added))
    for _, name, added in sorted(found):
        believed = open_entry(asked.home, name)
        if believed and holds_at(believed, asked.now_us):
            return believed, added
    return None


def _files(sources: Sources) -> int:
    return sum(map(len, sources.values()))


def _hashes(entry: Entry) -> dict[SourceFile, str]:
    """The hashes of the text files of an entry."""
    texts, files = entry.about["texts"], (file for of_table in _sources(entry).values() for file in of_table)
    return {file: texts[file.name] for file in files if file.name in texts}


def _sources(entry: Entry) -> Sources:
    return {table: tuple(SourceFile(*file) for file in files) for table, files in entry.about["files"].items()}


def _added(asked: AskedLog, before: tuple[Entry, dict[str, Added]]) -> Entry:
    """The entry of a log to which files came; raises CannotAppend."""
    entry, added = before
    files = sum(len(new) + len(grown) for new, grown in added.values())
    asked.say(f"reading what is new in {files:,} file{'s' * (files != 1)}")
    with writing_entry(asked.home, asked.rows_name) as draft:
        append_rows(entry, asked.log, added, draft, now_us=asked.now_us, memory_bytes=asked.memory_bytes)
        draft.about |= asked.identity | {"texts": text_hashes(asked.sources or {}, _hashes(entry))}
    return _found(asked.home, asked.rows_name)


def _made(asked: AskedLog) -> tuple[Entry, Entry | None, Entry | None]:
    """The entries of a log that is read anew."""
    with ThreadPoolExecutor(1) as beside, _reading(asked) as opened:
        texts = beside.submit(text_hashes, asked.sources or {})
        with writing_entry(asked.home, asked.rows_name) as draft:
            write_rows(opened, draft, memory_bytes=asked.memory_bytes)
            draft.about |= asked.identity | {"texts": texts.result()}
        rows = _found(asked.home, asked.rows_name)
        customers = _write_customers(asked, rows, opened) if CUSTOMERS in opened.types else None
        return rows, customers, _write_found(asked, rows, opened)


def _inspected(asked: AskedLog, rows: Entry) -> Entry | None:
    """The entry of what is found in the open log; None where nobody asks for it."""
    if asked.inspect is None:
        return None
    name = asked.found_name(rows)
    found = open_entry(asked.home, name) if name else None
    if found:
        return found
    with _reading(asked) as opened:
        return _write_found(asked, rows, opened)


def _write_found(asked: AskedLog, rows: Entry, opened: Reading) -> Entry | None:
    if asked.inspect is None:
        return None
    name = asked.found_name(rows) or f"{FOUND}-of-this-run"
    with writing_entry(asked.home, name) as draft:
        draft.about |= {"found": asked.inspect(opened), "of": rows.folder.name}
    return _found(asked.home, name)


def _customers(asked: AskedLog, rows: Entry) -> Entry | None:
    """The entry of what the table `customers` says; None where the log has none."""
    if "customers" not in asked.log.tables:
        return None
    name = asked.customers_name(rows)
    found = open_entry(asked.home, name) if name else None
    if found:
        return found
    with _reading(asked, only="customers") as opened:
        entry = _write_customers(asked, rows, opened)
    if not entry.about["customers"] and (asked.log.attributes or opened.contractual):
        with _reading(asked):  # it says what does not match
            pass
    return entry


def _write_customers(asked: AskedLog, rows: Entry, opened: Reading) -> Entry:
    name = asked.customers_name(rows) or f"{CUSTOMERS}-of-this-run"
    with writing_entry(asked.home, name) as draft:
        write_customers(opened, ids_of(rows), draft)
        draft.about["of"] = rows.folder.name
    return _found(asked.home, name)


def _reading(asked: AskedLog, only: str | None = None) -> AbstractContextManager[Reading]:
    return reading(
        asked.log,
        now_us=asked.now_us,
        memory_bytes=duckdb_memory_bytes(asked.memory_bytes),
        before_us=asked.before_us,
        side_table=only,
        keeps_unused=asked.inspect is not None,
    )


def _found(home: Path, name: str) -> Entry:
    """The entry that was just written."""
    entry = open_entry(home, name)
    if entry is None:
        raise OSError(f"{home / name} is not as it was written")
    return entry


def _make_way(asked: AskedLog, used: Sequence[Entry]) -> None:
    """Remove earlier entries of the same log; then, the oldest first, those of others, until the limit is kept."""
    names = {entry.folder.name for entry in used}
    others = [entry for entry in entries(asked.home) if entry.folder.name not in names]
    others.sort(key=lambda entry: ("of" in entry.about, -entry.made_ns))  # customers after the rows they are of
    left = (asked.limit_bytes or 2**62) - sum(entry.bytes for entry in used)
    for entry in others:
        left -= entry.bytes
        if left < 0 or _is_earlier(asked, entry):
            remove(entry.folder)
    remove_drafts(asked.home)
    remember(used)


def _is_earlier(asked: AskedLog, entry: Entry) -> bool:
    """True for rows of the same log when it had other files or our code was another, and for what is of rows gone."""
    of, code = entry.about.get("of"), entry.about.get("code")
    if code not in (None, code_hash()):
        return True
    return entry.about.get("settings") == asked.settings or (of is not None and not (asked.home / of).exists())
