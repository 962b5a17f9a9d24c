"""Which fields real servers and clients put into their messages, in which order and spelling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.simulation.messages import http_date

if TYPE_CHECKING:
    import random

    from tools.simulation.messages import Fields


@dataclass(frozen=True, slots=True)
class ServerKind:
    """A server software: fields before and after those of the resource, and its spelling of ETag."""

    name: str
    before: tuple[tuple[str, str], ...]
    after: tuple[tuple[str, str], ...] = ()
    etag: str = "ETag"
    lower: bool = False
    length: bool = True

    def dress(self, own: Fields, moment: float, rng: random.Random) -> Fields:
        """Return the fields of an answer of this server: its own around the resource's."""

        def filled(pairs: tuple[tuple[str, str], ...]) -> Fields:
            out: Fields = []
            for name, value in pairs:
                text = value.replace("{date}", http_date(moment))
                if "{id}" in text:
                    text = text.replace("{id}", f"{rng.getrandbits(64):016x}")
                if "{ms}" in text:
                    text = text.replace("{ms}", str(rng.randrange(2, 60)))
                out.append((name, text))
            return out

        middle = [(self.etag if name == "ETag" else name, value) for name, value in own]
        fields = [*filled(self.before), *middle, *filled(self.after)]
        return [(name.lower(), value) for name, value in fields] if self.lower else fields


_DATE = ("Date", "{date}")
SERVERS = {
    one.name: one
    for one in (
        ServerKind("gunicorn", (("Server", "gunicorn"), _DATE, ("Connection", "keep-alive"))),
        ServerKind("uvicorn", (("date", "{date}"), ("server", "uvicorn")), lower=True),
        ServerKind("express", (("X-Powered-By", "Express"),), (_DATE, ("Connection", "keep-alive"), ("Keep-Alive", "timeout=5"))),
        ServerKind("kestrel", (_DATE, ("Server", "Kestrel"))),
        ServerKind("go", (), (_DATE,), etag="Etag"),
        ServerKind("spring", (), (("Vary", "Origin"), ("Vary", "Access-Control-Request-Method"), _DATE, ("Keep-Alive", "timeout=60"), ("Connection", "keep-alive"))),
        ServerKind("puma", (("X-Frame-Options", "SAMEORIGIN"), ("X-Content-Type-Options", "nosniff")), (("X-Request-Id", "{id}"), ("X-Runtime", "0.0{ms}"), _DATE)),
        ServerKind("django", (_DATE, ("Server", "WSGIServer/0.2 CPython/3.12.3")), (("X-Frame-Options", "DENY"), ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "same-origin"))),
        ServerKind("jetty", (("Server", "Jetty(11.0.20)"), _DATE)),
        ServerKind("iis", (), (("Server", "Microsoft-IIS/10.0"), ("X-Powered-By", "ASP.NET"), _DATE)),
        ServerKind("php", (_DATE, ("Server", "Apache/2.4.62 (Debian)"), ("X-Powered-By", "PHP/8.2.20"))),
        ServerKind("werkzeug", (("Server", "Werkzeug/3.0.3 Python/3.12.3"), _DATE), (("Connection", "close"),)),
        ServerKind("apache", (_DATE, ("Server", "Apache/2.4.62 (Debian)")), (("Keep-Alive", "timeout=5, max=100"), ("Connection", "Keep-Alive"))),
        ServerKind("nginx", (("Server", "nginx/1.26.1"), _DATE), (("Connection", "keep-alive"),)),
        ServerKind("lighttpd", (), (_DATE, ("Server", "lighttpd/1.4.76"))),
        ServerKind("tomcat", (), (_DATE, ("Keep-Alive", "timeout=20"), ("Connection", "keep-alive"))),
        ServerKind("sabre", (("Server", "nginx"), _DATE, ("X-Sabre-Version", "4.4.0")), (("DAV", "1, 3, extended-mkcol, access-control, calendar-access, addressbook"),)),
        ServerKind("radicale", (_DATE, ("Server", "WSGIServer/0.2 CPython/3.11.7"))),
        ServerKind("wsgidav", (), (_DATE, ("Server", "WsgiDAV/4.3.3 Cheroot/10.0.1 Python/3.12.3"))),
        ServerKind("s3", (("x-amz-id-2", "{id}{id}"), ("x-amz-request-id", "{id}"), _DATE), (("Server", "AmazonS3"),)),
        ServerKind("minio", (("Accept-Ranges", "bytes"), ("Server", "MinIO"), ("X-Amz-Request-Id", "{id}"), ("X-Content-Type-Options", "nosniff")), (_DATE,)),
        ServerKind("azure", (), (("Server", "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0"), ("x-ms-request-id", "{id}"), ("x-ms-version", "2024-11-04"), _DATE)),
        ServerKind("azuretable", (("Cache-Control", "no-cache"),), (("Server", "Windows-Azure-Table/1.0 Microsoft-HTTPAPI/2.0"), ("x-ms-request-id", "{id}"), ("x-ms-version", "2019-02-02"), _DATE)),
        ServerKind("cosmos", (("Cache-Control", "no-store, no-cache"), ("Server", "Compute")), (("x-ms-activity-id", "{id}"), ("x-ms-request-charge", "1{ms}.29"), _DATE)),
        ServerKind("google", (("X-GUploader-UploadID", "{id}{id}"),), (_DATE, ("Server", "UploadServer"))),
        ServerKind("esf", (("Vary", "Origin"), ("Vary", "X-Origin"), ("Vary", "Referer")), (_DATE, ("Server", "ESF"), ("X-XSS-Protection", "0"), ("Alt-Svc", 'h3=":443"; ma=2592000'))),
        ServerKind("graph", (("Cache-Control", "no-cache"), ("Strict-Transport-Security", "max-age=31536000")), (("request-id", "{id}"), ("client-request-id", "{id}"), ("OData-Version", "4.0"), _DATE)),
        ServerKind("sap", (("sap-server", "true"),), (("dataserviceversion", "2.0"), ("sap-processing-info", "ODataBEP=,crp="), _DATE)),
        ServerKind("elastic", (("X-elastic-product", "Elasticsearch"),), ()),
        ServerKind("kube", (("Audit-Id", "{id}"), ("Cache-Control", "no-cache, private")), (("X-Kubernetes-Pf-Flowschema-Uid", "{id}"), _DATE)),
        ServerKind("couch", (("Cache-Control", "must-revalidate"),), (_DATE, ("Server", "CouchDB/3.3.3 (Erlang OTP/24)"), ("X-Couch-Request-ID", "{id}"))),
        ServerKind("cloudfront", (("x-amzn-RequestId", "{id}"),), (_DATE,)),
        ServerKind("github", (("Server", "github.com"), _DATE), (("X-GitHub-Media-Type", "github.v3; format=json"), ("X-RateLimit-Remaining", "49{ms}"), ("X-GitHub-Request-Id", "{id}"))),
        ServerKind("contentful", (("Cf-Space-Id", "s7kx"), ("X-Contentful-Request-Id", "{id}")), (_DATE, ("Via", "1.1 varnish"))),
        ServerKind("atlassian", (_DATE, ("Server", "AtlassianEdge")), (("Atl-Traceid", "{id}"), ("X-Content-Type-Options", "nosniff"))),
        ServerKind("zotero", (_DATE, ("Server", "Apache/2.4.62 (Amazon Linux)"), ("Zotero-API-Version", "3")), ()),
        ServerKind("etcd", (("X-Etcd-Cluster-Id", "cdf818194e3a8c32"), ("X-Raft-Term", "3")), (_DATE,)),
        ServerKind("consul", (("Vary", "Accept-Encoding"),), (("X-Consul-Default-Acl-Policy", "allow"), _DATE)),
        ServerKind("kinto", (("Server", "gunicorn"), _DATE), (("Access-Control-Expose-Headers", "Alert, Backoff, Content-Length, Retry-After"), ("X-Content-Type-Options", "nosniff"))),
    )
}  # fmt: skip
REST_SERVERS = ("gunicorn", "uvicorn", "express", "kestrel", "go", "spring", "puma", "django", "jetty", "iis", "php", "werkzeug")  # fmt: skip


@dataclass(frozen=True, slots=True)
class ClientKind:
    """A client software: its fields, the flavour of its recording, whether it is a browser."""

    name: str
    fields: tuple[tuple[str, str], ...]
    flavour: str = "tap"
    browser: bool = False
    late: bool = False
    lower: bool = False
    version: str = "HTTP/1.1"


_CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
_CHROME_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
_FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
_SAFARI = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15"
_HOST = ("Host", "{host}")
CLIENTS = {
    one.name: one
    for one in (
        ClientKind("curl", (_HOST, ("User-Agent", "curl/8.9.1"), ("Accept", "*/*"))),
        ClientKind("requests", (_HOST, ("User-Agent", "python-requests/2.32.3"), ("Accept-Encoding", "gzip, deflate"), ("Accept", "*/*"), ("Connection", "keep-alive"))),
        ClientKind("httpx", (_HOST, ("Accept", "*/*"), ("Accept-Encoding", "gzip, deflate"), ("Connection", "keep-alive"), ("User-Agent", "python-httpx/0.27.2"))),
        ClientKind("aiohttp", (_HOST, ("Accept", "*/*"), ("Accept-Encoding", "gzip, deflate"), ("User-Agent", "Python/3.12 aiohttp/3.10.5"))),
        ClientKind("axios", (("Accept", "application/json, text/plain, */*"), ("User-Agent", "axios/1.7.7"), ("Accept-Encoding", "gzip, compress, deflate, br"), _HOST, ("Connection", "keep-alive"))),
        ClientKind("undici", (("host", "{host}"), ("connection", "keep-alive"), ("accept", "*/*"), ("accept-language", "*"), ("sec-fetch-mode", "cors"), ("user-agent", "node"), ("accept-encoding", "gzip, deflate"))),
        ClientKind("okhttp", (_HOST, ("Connection", "Keep-Alive"), ("Accept-Encoding", "gzip"), ("User-Agent", "okhttp/4.12.0")), late=True),
        ClientKind("go", (_HOST, ("User-Agent", "Go-http-client/1.1"), ("Accept-Encoding", "gzip"))),
        ClientKind("java", (_HOST, ("User-Agent", "Java-http-client/21.0.4"))),
        ClientKind("dotnet", (_HOST, ("User-Agent", "stock-sync/4.1 (.NET 8.0)"))),
        ClientKind("ruby", (("Accept-Encoding", "gzip;q=1.0,deflate;q=0.6,identity;q=0.3"), ("Accept", "*/*"), ("User-Agent", "Faraday v2.10.1"), _HOST)),
        ClientKind("php", (_HOST, ("User-Agent", "GuzzleHttp/7"), ("Accept", "application/json"))),
        ClientKind("urlsession", (_HOST, ("Accept", "*/*"), ("Connection", "keep-alive"), ("User-Agent", "FieldNotes/381 CFNetwork/1568.200.51 Darwin/24.1.0"), ("Accept-Language", "en-GB,en;q=0.9"), ("Accept-Encoding", "gzip, deflate, br"))),
        ClientKind("davx5", (_HOST, ("User-Agent", "DAVx5/4.4.3.2-ose (dav4jvm; okhttp/4.12.0) Android/14"), ("Accept-Language", "de-DE, de;q=0.7, en;q=0.5, *;q=0.1"), ("Connection", "Keep-Alive"), ("Accept-Encoding", "gzip")), late=True),
        ClientKind("thunderbird", (_HOST, ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.3.1"), ("Accept", "text/xml"), ("Accept-Language", "en-US,en;q=0.5"), ("Accept-Encoding", "gzip, deflate"), ("Connection", "keep-alive"))),
        ClientKind("nextclouddesktop", (_HOST, ("User-Agent", "Mozilla/5.0 (Linux) mirall/3.14.1 (Nextcloud, ubuntu)"), ("Accept", "*/*"), ("Connection", "Keep-Alive"), ("Accept-Encoding", "gzip, deflate"), ("Accept-Language", "en-US,*"))),
        ClientKind("rclone", (_HOST, ("User-Agent", "rclone/v1.68.1"), ("Accept-Encoding", "gzip"))),
        ClientKind("chrome", (_HOST, ("Connection", "keep-alive"), ("sec-ch-ua-platform", '"Windows"'), ("User-Agent", _CHROME), ("Accept", "*/*"), ("Accept-Encoding", "gzip, deflate, br, zstd"), ("Accept-Language", "en-US,en;q=0.9")), "chrome", browser=True),
        ClientKind("chrome2", (_HOST, ("accept", "application/json, text/plain, */*"), ("accept-encoding", "gzip, deflate, br, zstd"), ("accept-language", "de-DE,de;q=0.9,en;q=0.8"), ("priority", "u=1, i"), ("sec-fetch-dest", "empty"), ("sec-fetch-mode", "cors"), ("user-agent", _CHROME_MAC)), "chrome", browser=True, lower=True, version="h2"),
        ClientKind("firefox", (_HOST, ("User-Agent", _FIREFOX), ("Accept", "*/*"), ("Accept-Language", "en-US,en;q=0.5"), ("Accept-Encoding", "gzip, deflate, br, zstd"), ("Connection", "keep-alive")), "firefox", browser=True),
        ClientKind("safari", (_HOST, ("Accept", "*/*"), ("Accept-Language", "en-GB,en;q=0.9"), ("Accept-Encoding", "gzip, deflate, br"), ("User-Agent", _SAFARI)), "safari", browser=True),
        ClientKind("boto3", (_HOST, ("Accept-Encoding", "identity"), ("User-Agent", "Boto3/1.35.36 md/Botocore#1.35.36 ua/2.0 os/linux#6.8.0 lang/python#3.12.3"), ("amz-sdk-invocation-id", "{uuid}"), ("amz-sdk-request", "attempt={attempt}"))),
        ClientKind("awsgo", (_HOST, ("User-Agent", "aws-sdk-go-v2/1.32.2 os/linux lang/go#1.23.2 api/s3#1.65.3"), ("Accept-Encoding", "identity"), ("Amz-Sdk-Invocation-Id", "{uuid}"), ("Amz-Sdk-Request", "attempt={attempt}; max=3"))),
        ClientKind("azsdk", (_HOST, ("User-Agent", "azsdk-python-storage-blob/12.23.1 Python/3.12.3 (Linux-6.8.0-x86_64)"), ("Accept", "application/xml"), ("Accept-Encoding", "gzip, deflate"), ("Connection", "keep-alive"), ("x-ms-version", "2024-11-04"), ("x-ms-client-request-id", "{uuid}"))),
        ClientKind("azsdknet", (_HOST, ("x-ms-version", "2024-11-04"), ("Accept", "application/xml"), ("x-ms-client-request-id", "{uuid}"), ("x-ms-return-client-request-id", "true"), ("User-Agent", "azsdk-net-Storage.Blobs/12.22.2 (.NET 8.0.10; Ubuntu 24.04)"))),
        ClientKind("gcs", (_HOST, ("User-Agent", "gcloud-python/2.18.2  gl-python/3.12.3 grpc/1.66.2 gax/2.21.0 gccl/2.18.2"), ("X-Goog-API-Client", "gcloud-python/2.18.2 gl-python/3.12.3 gccl/2.18.2 gccl-invocation-id/{uuid}"), ("Accept", "application/json"), ("Accept-Encoding", "gzip, deflate"), ("Connection", "keep-alive"))),
        ClientKind("kubectl", (_HOST, ("User-Agent", "kubectl/v1.31.1 (linux/amd64) kubernetes/948afe5"), ("Accept", "application/json"), ("Accept-Encoding", "gzip"))),
        ClientKind("controller", (_HOST, ("User-Agent", "shop-operator/v0.9.2 (linux/amd64) kubernetes/$Format"), ("Accept", "application/json, */*"), ("Accept-Encoding", "gzip"))),
        ClientKind("elasticpy", (_HOST, ("Accept", "application/vnd.elasticsearch+json; compatible-with=8"), ("User-Agent", "elasticsearch-py/8.15.1 (Python/3.12.3; elastic-transport/8.15.0)"), ("Connection", "keep-alive"))),
        ClientKind("terraform", (_HOST, ("User-Agent", "Terraform/1.9.7 (+https://www.terraform.io) Terraform-Plugin-SDK/2.34.0"), ("Accept-Encoding", "gzip"))),
        ClientKind("excel", (_HOST, ("User-Agent", "Microsoft Office Excel 2019 DAV (16.0.17928)"), ("Connection", "Keep-Alive"))),
    )
}  # fmt: skip
PROGRAMS = ("curl", "requests", "httpx", "aiohttp", "axios", "undici", "okhttp", "go", "java", "dotnet", "ruby", "php", "urlsession")  # fmt: skip
BROWSERS = ("chrome", "chrome2", "firefox", "safari")
