"""Keep versioned content in an object store: S3, Google Cloud Storage, Azure, through obstore.

An object is a line of JSON (version, media type, fields, date) and the octets. The version stands in the
object because S3 makes its entity tag from the content: A, B, A again would give the first tag back. With the
version inside, no two objects are alike, and the store's own conditional write (PutMode: If-None-Match: * and
If-Match) is a sound compare-and-swap.

DELETE has no condition on most object stores, so a deletion writes a tombstone under the same condition.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast
from urllib.parse import quote_from_bytes

from ifmatch.errors import MissingExtraError, StoreUnavailableError
from ifmatch.server.stores.protocol import ABSENT, Content, Lost
from ifmatch.server.stores.records import fields_text, snapshot, stored_key
from ifmatch.server.stores.versions import new_version, now

try:
    import obstore
    from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
    from obstore.store import HTTPStore, LocalStore
except ImportError as error:  # pragma: no cover - the extra is installed where tests run
    raise MissingExtraError("objects", "ifmatch.server.stores.objects") from error

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from obstore import UpdateVersion
    from obstore.store import ObjectStore as Bucket

    from ifmatch.server.stores.protocol import Absent, Deleted, Snapshot, Version

__all__ = ["ObjectStore"]

_LONGEST_PATH: Final = 900
_REMEMBERED: Final = 4096
_Mode: TypeAlias = "Literal['create'] | UpdateVersion"


def _encoded(version: Version, new: Content | Deleted, modified: float) -> bytes:
    if isinstance(new, Content):
        line = [version, modified, new.media_type, fields_text(new)]
        return json.dumps(line).encode() + b"\n" + new.octets
    return json.dumps([version, modified]).encode() + b"\n"


def _name(e_tag: str | None, version: str | None) -> UpdateVersion:
    # obstore refuses None as a value; which of the two is there depends on the service.
    held = {"e_tag": e_tag, "version": version}
    return cast("UpdateVersion", {name: value for name, value in held.items() if value is not None})


class ObjectStore:
    """A `Store` in a bucket of obstore; wrap it in `InThread` for an event loop.

    A swap of what was read by this process costs one request, any other swap two. Deleted keys leave a
    tombstone of about 70 octets; remove them only while nobody writes.

    Args:
        bucket: made with `obstore.store`. Give it `retry_config={"max_retries": 0}`: a conditional write that
            the library repeats after a lost answer may find its own write and look lost. What is still the
            current state then is recognised as one's own.
        prefix: goes before each object's name.
        clock: gives the time, aware.
        new_version: gives a name that was never given before.

    Raises:
        ValueError: for stores without a conditional replace (local files, plain HTTP); and from calls with a
            key whose object name has more than 900 octets.
        StoreUnavailableError: from each call that the bucket does not answer.
    """

    def __init__(
        self,
        bucket: Bucket,
        *,
        prefix: str = "ifmatch/",
        clock: Callable[[], datetime] = now,
        new_version: Callable[[], Version] = new_version,
    ) -> None:
        if isinstance(bucket, LocalStore | HTTPStore):
            raise ValueError(  # noqa: TRY004 - a class of stores, not a slip of types
                f"{type(bucket).__name__} has no conditional replace; for local files use "
                "ifmatch.server.stores.sqlite.SqliteStore"
            )
        self._bucket = bucket
        self._prefix = prefix
        self._clock = clock
        self._new_version = new_version
        self._lock = threading.Lock()
        # Version -> the bucket's own name of that object. A version names one object for ever.
        self._names: OrderedDict[tuple[str, Version | Absent], UpdateVersion] = OrderedDict()

    def _path(self, key: str) -> str:
        # "=" for "%": object stores decode or refuse per cent signs, dots alone and tildes.
        name = quote_from_bytes(stored_key(key), safe="").replace("%", "=")
        name = name.replace(".", "=2E").replace("~", "=7E")
        path = f"{self._prefix}_{name}"
        if len(path) > _LONGEST_PATH:
            raise ValueError(
                f"the object's name has {len(path)} octets, {_LONGEST_PATH} fit; use a digest of the key"
            )
        return path

    def _remember(self, path: str, version: Version | Absent, name: UpdateVersion) -> None:
        with self._lock:
            self._names[path, version] = name
            while len(self._names) > _REMEMBERED:
                self._names.popitem(last=False)

    def _get(self, path: str) -> tuple[Version, UpdateVersion, Snapshot | None] | None:
        """Return version, the bucket's name, and the content unless it is a tombstone; None: no object."""
        try:
            answer = obstore.get(self._bucket, path)
            data = bytes(answer.bytes())
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise self._unavailable(error) from error
        meta = answer.meta
        name = _name(meta["e_tag"], meta["version"])
        line, _, octets = data.partition(b"\n")
        try:
            parts = cast("list[object]", json.loads(line))
            version, modified = cast("str", parts[0]), cast("float", parts[1])
            if len(parts) == 2:
                return version, name, None
            media_type, fields = cast("str", parts[2]), cast("str", parts[3])
        except (ValueError, IndexError, TypeError, KeyError) as error:
            raise StoreUnavailableError(
                f"the object {path!r} was not written by this store",
                store="objects",
                advice="Give the store a prefix of its own",
            ) from error
        return version, name, snapshot((version, octets, media_type, fields, modified), self._clock)

    def read(self, key: str) -> Snapshot | None:
        """Return the current state, None when there is none."""
        path = self._path(key)
        held = self._get(path)
        if held is None:
            return None
        version, name, found = held
        self._remember(path, version if found is not None else ABSENT, name)
        return found

    def swap(self, key: str, expected: Version | Absent, new: Content | Deleted) -> Version | Lost:
        """Replace the state in one atomic step; see `Store.swap`."""
        path = self._path(key)
        with self._lock:
            name = self._names.pop((path, expected), None)
        mode: _Mode | None = name
        if mode is None:
            held = self._get(path)
            if held is None:
                mode = "create" if expected is ABSENT else None
            elif expected == (held[0] if held[2] is not None else ABSENT):
                mode = held[1]
            if mode is None:
                return Lost()
        version = self._new_version()
        if mode == "create" and not isinstance(new, Content):
            return version
        return self._put(path, version, new, mode)

    def _put(self, path: str, version: Version, new: Content | Deleted, mode: _Mode) -> Version | Lost:
        data = _encoded(version, new, self._clock().timestamp())
        try:
            result = obstore.put(self._bucket, path, data, mode=mode, use_multipart=False)
        except (AlreadyExistsError, PreconditionError, FileNotFoundError):
            # S3 says 409 while another conditional write runs, and 404 when the object went away.
            held = self._get(path)
            return version if held is not None and held[0] == version else Lost()
        except (BaseError, OSError) as error:
            raise self._unavailable(error, outcome_unknown=True) from error
        name = _name(result["e_tag"], result["version"])
        self._remember(path, version if isinstance(new, Content) else ABSENT, name)
        return version

    @staticmethod
    def _unavailable(error: Exception, *, outcome_unknown: bool = False) -> StoreUnavailableError:
        said = str(error).partition("\n")[0]
        return StoreUnavailableError(
            f"the object store says: {said}",
            store="objects",
            outcome_unknown=outcome_unknown,
            advice="Check the bucket, its address and the permissions; then read the key again",
        )

    def close(self) -> None:
        """Forget what was remembered of the bucket's names."""
        self._names.clear()
