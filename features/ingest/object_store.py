"""Files in an object store, by URL: `s3://BUCKET/KEY`, `gs://BUCKET/KEY` or `az://CONTAINER/KEY`.

KEY names an object, a folder of objects or a glob. Objects are read through Arrow's file systems: they are copied to a
temporary folder once per process, again when they have changed, and removed when the process ends.

Credentials never stand in the URL. Each store's own are taken: the variables and files of AWS for `s3`, those of
Google Cloud for `gs`, and AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT with AZURE_STORAGE_KEY or
AZURE_STORAGE_SAS_TOKEN, or whoever is logged in, for `az`. A store of one's own is named by AWS_ENDPOINT_URL,
STORAGE_EMULATOR_HOST or the connection string.
"""

import atexit
import fnmatch
import glob
import os
import re
import shutil
import tempfile
from datetime import timedelta
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa

from features.errors import InputError
from features.ingest.input_files import KINDS, file_format

SCHEMES = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfs": "az", "abfss": "az"}
"""Scheme of a URL → the kind of store."""
CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or `aws configure`",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS, or `gcloud auth application-default login`",
    "az": "AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT with AZURE_STORAGE_KEY or `az login`",
}
NO_ACCESS = re.compile(
    r"ACCESS_DENIED|INVALID_ACCESS_KEY|SIGNATURE|TOKEN|FORBIDDEN|UNAUTHENTICATED|PERMISSION_DENIED|Authenticat"
    r"|access token|40[13]\b"
)
NO_BUCKET = re.compile(r"NO_SUCH_BUCKET|NOT_FOUND|404|ContainerNotFound|[Cc]ontainer does not exist")
UNREACHABLE = re.compile(r"NETWORK_CONNECTION|resolve host|connect to server|CURL error|UNAVAILABLE|connection")
PATIENCE = timedelta(seconds=20)
CHUNK_BYTES = 8 << 20


def is_object_url(text: str) -> bool:
    """True for the URL of an object store.

    >>> is_object_url("s3://shop/orders/*.parquet"), is_object_url("postgresql://host/shop#orders")
    (True, False)
    """
    scheme, mark, _ = text.partition("://")
    return bool(mark) and scheme.lower() in SCHEMES


def fetch_objects(url: str) -> list[Path]:
    """Copies of the objects that a URL names, in ascending order; raises InputError if there is none to read.

    A copy has its object's time of change, so that a changed object is seen as a changed file.
    """
    scheme, container, key = _parts(url)
    try:
        store, place = _open(scheme, container, url)
        objects = _matching(store, place, key)
        if not objects:
            raise _nothing_there(url, key)
        return [_copied(store, found, scheme, container, place) for found in objects]
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(error, scheme, url) from None


def object_url(copy: str | Path) -> str:
    """The URL of the object that a file is the copy of; the path itself of any other file."""
    path = Path(copy)
    if not path.is_relative_to(_folder()):
        return str(copy)
    scheme, _, rest = path.relative_to(_folder()).as_posix().partition("/")
    return f"{scheme}://{rest}"


def copies_of(url: str) -> tuple[str, str]:
    """The beginnings of the paths of a URL's copies, and of the URLs that they stand for."""
    scheme = url.partition("://")[0].lower()
    return f"{_folder()}/{scheme}/", f"{scheme}://"


@cache
def _folder() -> Path:
    """The folder of the copies of this process."""
    folder = Path(tempfile.mkdtemp(prefix="stayworth-objects-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _parts(url: str) -> tuple[str, str, str]:
    """Scheme, bucket or container, and key of a URL."""
    scheme, _, rest = url.partition("://")
    container, _, key = rest.partition("/")
    name, _, account = container.partition("@")
    is_azure = SCHEMES[scheme.lower()] == "az"
    if ":" in container or (account and not is_azure):
        raise InputError(
            "an address holds no credentials",
            where=f"{scheme}://…",
            next=f"Write {scheme}://{'CONTAINER' if is_azure else 'BUCKET'}/KEY, and set "
            f"{CREDENTIALS[SCHEMES[scheme.lower()]]}.",
        )
    if not name or not key.strip("/"):
        raise InputError(
            "names no object",
            where=url,
            next=f"Write {scheme}://{'CONTAINER' if is_azure else 'BUCKET'}/KEY; KEY is an object, a folder or a glob.",
        )
    return scheme.lower(), container, key


def _open(scheme: str, container: str, url: str) -> tuple[Any, str]:
    """The file system of a store, and the bucket or container in it."""
    try:
        kind = SCHEMES[scheme]
        if kind == "s3":
            return _s3(container), container
        if kind == "gs":
            return _google(), container
        name, _, host = container.partition("@")
        return _azure(host.partition(".")[0], url), name
    except ImportError:
        raise InputError(
            f"this build of pyarrow cannot read {scheme}://", where=url, next="Copy the objects to a folder first."
        ) from None


def _s3(bucket: str) -> Any:
    from pyarrow.fs import AwsStandardS3RetryStrategy, S3FileSystem, resolve_s3_region

    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not region:
        region = "us-east-1" if endpoint else resolve_s3_region(bucket)
    return S3FileSystem(
        region=region,
        endpoint_override=endpoint,
        connect_timeout=PATIENCE.total_seconds() / 2,
        request_timeout=3 * PATIENCE.total_seconds(),
        retry_strategy=AwsStandardS3RetryStrategy(max_attempts=3),
    )


def _google() -> Any:
    from pyarrow.fs import GcsFileSystem

    emulator = os.environ.get("STORAGE_EMULATOR_HOST")
    if not emulator:
        return GcsFileSystem(retry_time_limit=PATIENCE)
    scheme, mark, host = emulator.partition("://")
    return GcsFileSystem(
        anonymous=True,
        scheme=scheme if mark else "http",
        endpoint_override=(host if mark else emulator).rstrip("/"),
        retry_time_limit=PATIENCE,
    )


def _azure(account: str, url: str) -> Any:
    from pyarrow.fs import AzureFileSystem

    given = os.environ.get("AZURE_STORAGE_CONNECTION_STRING", "")
    parts = dict(part.split("=", 1) for part in given.split(";") if "=" in part)
    account = account or parts.get("AccountName") or os.environ.get("AZURE_STORAGE_ACCOUNT", "")
    if not account:
        raise InputError("names no storage account", where=url, next=f"Set {CREDENTIALS['az']}.")
    settings = {
        "account_key": parts.get("AccountKey") or os.environ.get("AZURE_STORAGE_KEY"),
        "sas_token": parts.get("SharedAccessSignature") or os.environ.get("AZURE_STORAGE_SAS_TOKEN"),
    }
    if settings["account_key"]:
        del settings["sas_token"]
    if endpoint := parts.get("BlobEndpoint"):
        scheme, _, place = endpoint.partition("://")
        authority = place.strip("/").removesuffix(f"/{account}")
        settings |= {"blob_storage_scheme": scheme, "dfs_storage_scheme": scheme}
        settings |= {"blob_storage_authority": authority, "dfs_storage_authority": authority}
    return AzureFileSystem(account, **settings)


def _matching(store: Any, place: str, key: str) -> list[Any]:
    """The objects that a key names: itself, those in a folder that we read, or those that match a glob."""
    from pyarrow.fs import FileSelector, FileType

    key = key.rstrip("/")
    if glob.has_magic(key):
        fixed = "/".join(key[: re.search(r"[*?[]", key).start()].split("/")[:-1])  # type: ignore[union-attr]
        pattern = re.compile(_glob_pattern(f"{place}/{key}"))
    else:
        found = store.get_file_info(f"{place}/{key}")
        if found.type == FileType.File:
            return [found]
        fixed, pattern = key, re.compile(".*", re.DOTALL)
    inside = store.get_file_info(FileSelector(f"{place}/{fixed}".rstrip("/"), recursive=True, allow_not_found=True))
    files = [found for found in inside if found.type == FileType.File and pattern.fullmatch(found.path)]
    if not glob.has_magic(key):
        files = [found for found in files if file_format(Path(found.path))]
    return sorted(files, key=lambda found: found.path)


def _glob_pattern(pattern: str) -> str:
    """A regular expression of a glob, in which `**` stands for any folders.

    >>> [bool(re.fullmatch(_glob_pattern("shop/**/*.csv"), name)) for name in ("shop/a/b/c.csv", "shop/c.csv", "a.csv")]
    [True, True, False]
    """
    parts = pattern.split("/")
    written = [
        "(?:[^/]+/)*" if part == "**" else fnmatch.translate(part).replace(".*", "[^/]*").removesuffix(r"\Z")
        for part in parts
    ]
    return "".join(
        text + ("" if part == "**" or place == len(parts) - 1 else "/")
        for place, (part, text) in enumerate(zip(parts, written, strict=True))
    )


def _copied(store: Any, found: Any, scheme: str, container: str, place: str) -> Path:
    """The copy of an object, made anew if the object has changed."""
    key = PurePosixPath(found.path).relative_to(place)
    url = f"{scheme}://{container}/{key}"
    if not file_format(Path(found.path)):
        raise InputError(f"'{key.suffix}' is not a kind of file we read", where=url, next=f"Give {KINDS}.")
    if ".." in key.parts:
        raise InputError("has a key that is no path", where=url, next="Copy the object under another key.")
    if found.size == 0:
        raise InputError("is empty (0 bytes)", where=url, next="Export it again.")
    copy = _folder() / scheme / container / key
    if copy.exists() and (copy.stat().st_size, copy.stat().st_mtime_ns) == (found.size, found.mtime_ns):
        return copy
    copy.parent.mkdir(parents=True, exist_ok=True)
    with (
        store.open_input_stream(found.path, compression=None) as stream,
        tempfile.NamedTemporaryFile(dir=_folder(), delete=False) as draft,
    ):
        while chunk := stream.read(CHUNK_BYTES):
            draft.write(chunk)
    os.utime(draft.name, ns=(found.mtime_ns, found.mtime_ns))
    os.replace(draft.name, copy)
    return copy


def _nothing_there(url: str, key: str) -> InputError:
    what = "no object matches" if glob.has_magic(key) else "no such object, and no folder with one that we read"
    return InputError(what, where=url, next="Check bucket and key; a config names it under [data].")


def _unreadable(error: Exception, scheme: str, url: str) -> InputError:
    """The error for a store that refuses or cannot be reached, with the store's own words cut short."""
    text, kind = str(error), SCHEMES[scheme]
    if NO_ACCESS.search(text):
        what, next_ = "the store refuses access", f"Set {CREDENTIALS[kind]}; they must allow to list and to read."
    elif UNREACHABLE.search(text):
        what, next_ = "the store cannot be reached", "Check the network, and the address of a store of your own."
    elif NO_BUCKET.search(text) or isinstance(error, FileNotFoundError):
        what, next_ = "no such bucket, or no such object in it", "Check bucket and key."
    else:
        what, next_ = "cannot be fetched", "Check bucket, key and credentials, and the space in the temporary folder."
    words = re.sub(r"\s+", " ", text)
    words = re.sub(r" ?\((?:Request ID|request-id)[^)]*\)|error_info=.*", "", words)
    return InputError(f"{what}: {words if len(words) <= 240 else words[:239] + '…'}", where=url, next=next_)
