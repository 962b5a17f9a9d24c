"""Dialects as skins over the same origin: object stores, documents, platforms."""

from __future__ import annotations

from tools.simulation.dialects.documents import DOCUMENTS
from tools.simulation.dialects.google import Compute, IamPolicy, People
from tools.simulation.dialects.headers import HEADERS
from tools.simulation.dialects.hosted import Confluence, Contentful, GitHubContents
from tools.simulation.dialects.keyvalues import Cart, Consul, CurrentVersion, Etcd
from tools.simulation.dialects.microsoft import Graph, Planner, Sap, SharePoint
from tools.simulation.dialects.stores import STORES
from tools.simulation.dialects.versioned import Elasticsearch, Kubernetes
from tools.simulation.skin import Skin

_HOSTED = (Contentful, Confluence, GitHubContents, Compute, IamPolicy, People, Elasticsearch, Kubernetes)
_OTHERS = (Etcd, Consul, Cart, CurrentVersion, Graph, Planner, Sap, SharePoint)


def every() -> tuple[type[Skin], ...]:
    """Return all dialects."""
    return (Skin, *STORES, *DOCUMENTS, *HEADERS, *_HOSTED, *_OTHERS)
