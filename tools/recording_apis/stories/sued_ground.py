"""Grounds for the stories of this family: a device fleet, a parts depot, buckets, and what happens beside the point."""

from __future__ import annotations

import importlib
import json
import random
from typing import TYPE_CHECKING, Any

from tools.recording_apis.actors import Actor, Answer, Program
from tools.recording_apis.names import route
from tools.recording_apis.stage import Stage, StoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tools.recording.message import Message
    from tools.recording_apis.servers import Server

FLEET: Mapping[str, object] = {
    "things/pump-04": {"model": "HX-3", "site": "kiel", "firmware": "2.8.1", "owner": "north"},
    "things/pump-05": {"model": "HX-3", "site": "kiel", "firmware": "2.8.1", "owner": "north"},
    "things/valve-19": {"model": "V2", "site": "husum", "firmware": "1.4.0", "owner": "west"},
    "things/pump-04/shadow": {"desired": {"rpm": 1450, "mode": "auto"}, "reported": {"rpm": 1449}},
    "things/valve-19/shadow": {"desired": {"open": 35}, "reported": {"open": 35}},
    "sites/kiel": {"name": "Kiel pumping station", "shift": ["mara", "ole"], "alarm": "sms"},
    "sites/husum": {"name": "Husum weir", "shift": ["ida"], "alarm": "mail"},
    "gateways/gw-kiel-1": {"model": "G2", "uplink": "lte", "signal": -71, "things": 14},
    "gateways/gw-kiel-2": {"model": "G2", "uplink": "dsl", "signal": None, "things": 9},
    "gateways/gw-husum": {"model": "G1", "uplink": "lte", "signal": -88, "things": 3},
    "firmware/hx3": {"versions": ["2.7.4", "2.8.1", "2.9.0"], "signedBy": "release"},
    "firmware/v2": {"versions": ["1.4.0"], "signedBy": "release"},
    "tickets/t-8812": {"state": "open", "thing": "valve-19", "text": "Ventil klemmt bei Kälte"},
    "tickets/t-8790": {"state": "closed", "thing": "pump-05", "text": "new seal"},
    "policies/updates": {"window": "02:00-04:00", "channel": "stable", "maxParallel": 5},
}
BASE = "/fleet/v2/"
# What people look at beside the point; no story is about any of it.
LOOKS = (
    f"{BASE}gateways?limit=20&offset=0&sort=-signal",
    f"{BASE}gateways/gw-kiel-1",
    f"{BASE}gateways/gw-kiel-2",
    f"{BASE}gateways/gw-husum",
    f"{BASE}firmware/hx3",
    f"{BASE}firmware/v2",
    f"{BASE}tickets?limit=5&offset=0",
    f"{BASE}tickets/t-8812",
    f"{BASE}tickets/t-8790",
    f"{BASE}tickets/t-9999",
)
SHEETS = ("/sheets/nuts.xml", "/sheets/pumps.xml", "/sheets/hoses.xml", "/racks/a.xml", "/racks/z.xml")


def fleet(stage: Stage, more: Mapping[str, object] | None = None, **settings: str) -> Server:
    """Start the fleet's control plane with its seeds and more of them."""
    seed = json.dumps({**FLEET, **(more or {})})
    return stage.server("application", app="fleet_shadows", SEED=seed, **settings)


def sheet(*rows: tuple[str, int, str]) -> str:
    """Return a sheet of the parts depot: part, stock, shelf."""
    lines = "".join(
        f'  <row part="{part}" stock="{stock}" shelf="{shelf}"/>\n' for part, stock, shelf in rows
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<sheet>\n{lines}</sheet>\n'


BOLTS = sheet(("M6x20", 800, "A1"), ("M8x30", 120, "A2"), ("M8x40", 64, "A2"))
SEALS = sheet(("O-18", 2200, "C4"), ("O-22", 310, "C4"))


def depot(stage: Stage, **settings: str) -> Server:
    """Start the parts depot with two sheets."""
    more = {
        "/sheets/nuts.xml": sheet(("M6", 5100, "A1"), ("M8", 1900, "A1"), ("M10", 240, "A3")),
        "/sheets/pumps.xml": sheet(("HX-3", 4, "F1"), ("HX-2", 1, "F1")),
        "/sheets/hoses.xml": sheet(("DN50", 17, "G2")),
        "/racks/a.xml": sheet(("A1", 3, "hall 1"), ("A2", 3, "hall 1"), ("A3", 1, "hall 2")),
    }
    seed = json.dumps({"/sheets/bolts.xml": BOLTS, "/sheets/seals.xml": SEALS, **more})
    return stage.server("application", app="depot_files", SEED=seed, **settings)


def sign_in(actor: Actor, account: str) -> None:
    """Open a session, whose cookie the client program keeps."""
    actor.send("POST", f"{BASE}session", 201, None, {"account": account, "scope": "fleet.write"})


def look_around(actor: Actor, kind: str = "things") -> None:
    """List a kind of documents twice, the second time for nothing."""
    tag = actor.get(f"{BASE}{kind}?limit=20&sort=name&fields=href,rev").etag
    actor.get(f"{BASE}{kind}?limit=20&sort=name&fields=href,rev", 304, {"If-None-Match": tag})


def data_of(answer: Any) -> dict[str, Any]:
    """Return a fleet document's data."""
    found: dict[str, Any] = answer.json["data"]
    return found


def second_name(actor: Actor, host: str) -> Actor:
    """Return the same client program under another host name of the same server."""
    return Actor(host, actor.port, actor.program, actor.always)


class Caching:
    """A client program with a cache of the platform's below it, which asks with its tags on every method."""

    def __init__(self, program: Program, *, dates: bool = False) -> None:
        self._program, self._dates = program, dates
        self._kept: dict[str, Answer] = {}

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Send one request, with the condition of what the cache holds for its URL."""
        own = dict(headers)
        if kept := self._kept.get(url):
            own["If-None-Match"] = kept.etag
            if self._dates:
                own["If-Modified-Since"] = kept.fields["last-modified"]
        answer = self._program.send(method, url, own, body)
        if method == "GET" and answer.status == 200 and "etag" in answer.fields:
            self._kept[url] = answer
        return answer

    def close(self) -> None:
        """Close the client program."""
        self._program.close()


def cached(actor: Actor, *, dates: bool = False) -> Actor:
    """Return an actor on a platform whose cache puts conditions into requests."""
    return Actor(actor.host, actor.port, Caching(actor.program, dates=dates), actor.always)


_OWN = {"authorization", "date", "cookie", "user-agent", "x-operator", "x-client", "accept-encoding"}


class Busy:
    """A client program whose user does other things as well: it looks at other paths between the story's requests.

    Args:
        program: What sends.
        seed: Decides what is looked at and when.
        paths: What there is to look at; what is not there may be among it.
        validates: Whether it asks with the tag or date that it has seen.
    """

    def __init__(self, program: Program, seed: str, paths: Sequence[str], *, validates: bool) -> None:
        self._program, self._paths, self._validates = program, paths, validates
        self._dice = random.Random(seed)  # noqa: S311 - repeatable, no secret
        self._seen: dict[str, Answer] = {}

    def _look(self, base: str, fields: Mapping[str, str]) -> None:
        path = self._dice.choice(self._paths)
        own = {name: value for name, value in fields.items() if name.lower() in _OWN}
        if self._validates and (seen := self._seen.get(path)):
            if "etag" in seen.fields:
                own["If-None-Match"] = seen.fields["etag"]
            elif "last-modified" in seen.fields:
                own["If-Modified-Since"] = seen.fields["last-modified"]
        answer = self._program.send("GET", base + path, own, None)
        if answer.status not in {200, 304, 404}:
            raise StoryError(f"{path}: {answer.status}, {answer.text[:200]}")
        if answer.status == 200:
            self._seen[path] = answer

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Look at none to three other things, then send one request."""
        for _ in range(self._dice.choice((0, 1, 1, 2, 3))):
            self._look("/".join(url.split("/", 3)[:3]), headers)
        return self._program.send(method, url, headers, body)

    def close(self) -> None:
        """Close the client program."""
        self._program.close()


def busy(actor: Actor, seed: str, paths: Sequence[str] = LOOKS, *, validates: bool = True) -> Actor:
    """Return an actor that looks at other things between its requests."""
    return Actor(actor.host, actor.port, Busy(actor.program, seed, paths, validates=validates), actor.always)


def together(stage: Stage, method: str, tap: str = "client") -> None:
    """Insist that the first two requests with a method overlapped in time."""
    sent = sorted(one.started_ns for one in stage.taps[tap].recorded if one.request.method == method)
    ended = min(
        one.started_ns + one.seconds * 1e9 for one in stage.taps[tap].recorded if one.request.method == method
    )
    if len(sent) < 2 or sent[1] >= ended:
        raise StoryError("the two requests did not overlap")


MISC = ("readme", "owners", "regions", "schema-v3")


class Vault:
    """An AWS client of boto3 behind a tap of its own, for S3 or another service."""

    def __init__(
        self,
        stage: Stage,
        name: str,
        server: Server,
        host: str,
        agent: str,
        *,
        service: str = "s3",
        loses: Callable[[Message], bool] | None = None,
    ) -> None:
        self._port, self._host = stage.tap(name, server, loses), host
        boto3 = importlib.import_module("boto3")
        config = importlib.import_module("botocore.config").Config(
            s3={"addressing_style": "path"},
            retries={"mode": "standard", "total_max_attempts": 1},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            proxies={},
            user_agent=agent,
        )
        self._errors = importlib.import_module("botocore.exceptions")
        self.client = boto3.client(
            service,
            endpoint_url=f"http://{host}",
            region_name="eu-north-1",
            aws_access_key_id="EXAMPLEKEY",
            aws_secret_access_key="example",  # noqa: S106 - the servers check nothing
            config=config,
        )

    def do(self, operation: str, expect: int = 200, **named: Any) -> dict[str, Any]:
        """Call an operation and insist on its status."""
        route(self._host, self._port)
        try:
            answer: dict[str, Any] = getattr(self.client, operation)(**named)
        except self._errors.ClientError as refused:
            answer = dict(refused.response)
        status = answer["ResponseMetadata"]["HTTPStatusCode"]
        if status != expect:
            raise StoryError(f"{operation} {named}: {status}, expected {expect}: {answer}")
        return answer

    def browse(self, bucket: str, seed: str, count: int = 5) -> None:
        """List a bucket and look at so many of the objects below misc/, leaving a log line of one's own."""
        dice = random.Random(seed)  # noqa: S311 - repeatable, no secret
        self.do("list_objects_v2", Bucket=bucket, Prefix="misc/", MaxKeys=50)
        for _ in range(count):
            key = f"misc/{dice.choice(MISC)}.json"
            self.do(dice.choice(("get_object", "head_object")), Bucket=bucket, Key=key)
        line = json.dumps({"ts": dice.randrange(10**9), "event": "look"})
        self.do("put_object", Bucket=bucket, Key=f"misc/log/{dice.randrange(16**8):08x}.json", Body=line)

    def read(self, bucket: str, key: str) -> tuple[str, Any]:
        """Get a JSON object and return its tag and content."""
        answer = self.do("get_object", Bucket=bucket, Key=key)
        return str(answer["ETag"]), json.loads(answer["Body"].read())


def buckets(stage: Stage, server: Server, name: str, **objects: str) -> None:
    """Make a bucket with objects (double underscores stand for slashes) before the story begins."""
    setup = Vault(stage, "setup", server, "store.example.test", "setup")
    setup.do("create_bucket", Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    for key in MISC:
        objects[f"misc__{key}"] = json.dumps({"name": key, "owner": "platform"})
    for key, text in objects.items():
        setup.do("put_object", Bucket=name, Key=f"{key.replace('__', '/')}.json", Body=text)
    setup.client.close()
    stage.forget()
