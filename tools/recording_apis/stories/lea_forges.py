"""Developers' products: files of GitLab, work items, pull requests, dashboards, services, variables, states."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tools.recording_apis import fronts
from tools.recording_apis.actors import Actor, Requests
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories import lea_setting as place

if TYPE_CHECKING:
    from tools.recording.message import Message


@case(
    "b300",
    "lea-gitlab-file-changed-by-ines",
    "other-writer",
    "recovered",
    alone="other-writer status-dialect-mismatch",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A release bot reads a file with its last_commit_id; Ines commits a change of the same file; the bot's "
        "commit is refused (400, changed since you started editing), it reads again, sets the image in the new "
        "text and commits."
    ),
)
def gitlab_file(stage: Stage) -> None:
    """Commit over a colleague's commit, guarded."""
    server = place.forge(stage, "GitLab's repository files")
    me = stage.actor("client", server, place.GITLAB, "requests", {"PRIVATE-TOKEN": "glpat-bot"})
    other = stage.actor("other", server, place.GITLAB, "node:axios", {"PRIVATE-TOKEN": "glpat-ines"})
    place.look_about(me, place.COMMITS)
    seen = me.get(f"{place.FILE}?ref=main").json
    me.get(f"{place.RUNBOOK}?ref=main")
    theirs = other.get(f"{place.FILE}?ref=main")
    text = place.text_of(theirs).replace("replicas: 3", "replicas: 5")
    last = theirs.json["last_commit_id"]
    other.put(place.FILE, place.file_change(text, "Scale to five", "Ines Marchetti", last), 200)
    time.sleep(0.6)
    mine = "replicas: 3\nimage: web:1.19.0\nlogLevel: info\n"
    me.put(place.FILE, place.file_change(mine, "Release 1.19.0", "bot", seen["last_commit_id"]), 400)
    now = me.get(f"{place.FILE}?ref=main")
    text = place.text_of(now).replace("1.18.2", "1.19.0")
    me.put(place.FILE, place.file_change(text, "Release 1.19.0", "bot", now.json["last_commit_id"]), 200)
    place.look_about(me, place.COMMITS)


@case(
    "b301",
    "lea-gitlab-head-commit-for-last-commit",
    "wrong-token-source",
    "400",
    alone="wrong-token-source",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A script takes commit_id (the head of the branch) of the file's answer for last_commit_id: every commit "
        "is refused although nobody touches the file; with last_commit_id of the same answer it is taken."
    ),
)
def gitlab_wrong(stage: Stage) -> None:
    """Send another member of the same answer."""
    server = place.forge(stage, "GitLab's repository files")
    front = fronts.nginx(stage, server)
    me = stage.actor("client", front, place.GITLAB, "curl", {"PRIVATE-TOKEN": "glpat-docs"})
    me.get(place.COMMITS)
    for _ in range(2):
        seen = me.get(f"{place.RUNBOOK}?ref=main").json
        change = place.file_change(
            "# Runbook\n\n1. Page the owner.\n", "Who to page", "docs", seen["commit_id"]
        )
        me.put(place.RUNBOOK, change, 400)
        time.sleep(0.4)
    change["last_commit_id"] = seen["last_commit_id"]
    me.put(place.RUNBOOK, change, 200)
    me.get(f"{place.RUNBOOK}?ref=main")


@case(
    "b302",
    "lea-gitlab-two-bots-no-last-commit",
    "unconditional-write",
    "lost-update",
    alone="unconditional-write none",
    synthetic=True,
    description=(
        "Two bots commit whole files to GitLab without last_commit_id: the image set by the first is back at the "
        "old one after the commit of the second, who had read before it."
    ),
)
def gitlab_plain(stage: Stage) -> None:
    """Commit without a condition."""
    server = place.forge(stage, "GitLab's repository files")
    me = stage.actor("client", server, place.GITLAB, "httpx", {"PRIVATE-TOKEN": "glpat-scale"})
    other = stage.actor("other", server, place.GITLAB, "requests", {"PRIVATE-TOKEN": "glpat-release"})
    text = place.text_of(me.get(f"{place.FILE}?ref=main"))
    place.look_about(me, place.COMMITS, f"{place.RUNBOOK}?ref=main")
    theirs = place.text_of(other.get(f"{place.FILE}?ref=main"))
    other.put(place.FILE, place.file_change(theirs.replace("1.18.2", "1.19.0"), "Release", "release"), 200)
    time.sleep(0.5)
    me.put(place.FILE, place.file_change(text.replace("replicas: 3", "replicas: 6"), "Scale", "scale"), 200)
    place.require(holds="1.18.2" in place.text_of(me.get(f"{place.FILE}?ref=main")), otherwise="not lost")
    other.get(f"{place.FILE}?ref=main")


@case(
    "b303",
    "lea-gitlab-commit-answer-lost",
    "lost-response-replay",
    "400",
    alone="lost-response-replay",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "The connection breaks after GitLab has made the commit; the same request, sent again, is refused as "
        "changed since editing began. The file holds the client's text and the log its commit, once."
    ),
)
def gitlab_lost(stage: Stage) -> None:
    """Lose the answer to a commit."""
    server = place.forge(stage, "GitLab's repository files")
    lost: list[int] = []

    def first_write(message: Message) -> bool:
        if message.method == "PUT" and not lost:
            lost.append(1)
            return True
        return False

    me = stage.actor(
        "client", server, place.GITLAB, "httpx", {"PRIVATE-TOKEN": "glpat-ci"}, loses=first_write
    )
    seen = me.get(f"{place.FILE}?ref=main").json
    text = "replicas: 3\nimage: web:1.18.3\nlogLevel: info\n"
    change = place.file_change(text, "Deploy 1.18.3 (pipeline 88120)", "ci", seen["last_commit_id"])
    me.put(place.FILE, change, 0)
    time.sleep(1.0)
    me.put(place.FILE, change, 400)
    place.require(holds=place.text_of(me.get(f"{place.FILE}?ref=main")) == text, otherwise="not written")
    me.get(place.COMMITS)


@case(
    "b304",
    "lea-azure-work-item-rev-tested",
    "other-writer",
    "recovered",
    alone="other-writer payload-precondition-mismatch",
    synthetic=True,
    description=(
        "A planning tool patches a work item with a test of /rev; a colleague has assigned it meanwhile: 412. The "
        "tool reads it again and sends its change with the new revision."
    ),
)
def azure_item(stage: Stage) -> None:
    """Test a revision that has moved on."""
    server = place.forge(stage, "Azure DevOps' work items")
    front = fronts.lighttpd(stage, server)
    me = stage.actor("client", front, place.AZURE, "node:fetch", place.basic("planner", **{"X-User": "plan"}))
    other = stage.actor("other", front, place.AZURE, "java", place.basic("omar", **{"X-User": "omar"}))
    me.send("GET", place.ITEM, 200)
    me.send("GET", place.ITEM.replace("299", "300"), 200)
    rev = me.get(place.ITEM).json["rev"]
    theirs = other.get(place.ITEM).json["rev"]
    other.send("PATCH", place.ITEM, 200, place.PATCH, place.dumped(place.steps(theirs, AssignedTo="omar")))
    time.sleep(0.7)
    change = place.dumped(place.steps(rev, State="Resolved"))
    me.send("PATCH", place.ITEM, 412, place.PATCH, change)
    rev = me.get(place.ITEM).json["rev"]
    me.send("PATCH", place.ITEM, 200, place.PATCH, place.dumped(place.steps(rev, State="Resolved")))
    me.get(place.ITEM.replace("299", "301"))


@case(
    "b305",
    "lea-azure-rule-edits-after-each-save",
    "server-side-mutation",
    "recovered",
    alone="server-side-mutation stale-stored-token",
    synthetic=True,
    description=(
        "A rule of the board tags a work item a moment after each save; the importer's second patch tests the "
        "revision of its own first answer and is refused. The item was changed by the system, by nobody else."
    ),
)
def azure_rule(stage: Stage) -> None:
    """Be overtaken by a rule."""
    server = place.forge(stage, "Azure DevOps' work items", TRIAGE="1")
    me = stage.actor("client", server, place.AZURE, "requests", place.basic("import", **{"X-User": "import"}))
    rev = me.get(place.ITEM).json["rev"]
    told = me.send(
        "PATCH", place.ITEM, 200, place.PATCH, place.dumped(place.steps(rev, Title="Login loops"))
    ).json["rev"]
    me.get(place.ITEM.replace("299", "301"))
    time.sleep(1.0)
    change = place.dumped(place.steps(told, AssignedTo="omar"))
    me.send("PATCH", place.ITEM, 412, place.PATCH, change)
    seen = me.get(place.ITEM).json
    place.require(holds="TeamFoundation" in seen["fields"]["System.ChangedBy"], otherwise="not the rule")
    me.send("PATCH", place.ITEM, 200, place.PATCH, place.dumped(place.steps(seen["rev"], AssignedTo="omar")))


@case(
    "b306",
    "lea-azure-test-of-a-field-value",
    "payload-precondition-mismatch",
    "412",
    alone="payload-precondition-mismatch",
    synthetic=True,
    description=(
        "A script's JSON Patch tests /fields/System.State for 'active' where the record has 'Active': 412 names "
        "the element, twice; with the value as stored the patch is taken. Nobody else writes."
    ),
)
def azure_field(stage: Stage) -> None:
    """Test a value that is written otherwise."""
    server = place.forge(stage, "Azure DevOps' work items")
    me = stage.actor("client", server, place.AZURE, "aiohttp", place.basic("closer", **{"X-User": "closer"}))
    me.get(place.ITEM.replace("299", "300"))
    me.get(place.ITEM)
    for wanted, status in (("active", 412), ("active", 412), ("Active", 200)):
        test = {"op": "test", "path": "/fields/System.State", "value": wanted}
        patch = [test, {"op": "replace", "path": "/fields/System.State", "value": "Closed"}]
        me.send("PATCH", place.ITEM, status, place.PATCH, place.dumped(patch))
        if status == 412 and wanted == "active":
            me.get(place.ITEM)
    me.get(place.ITEM)


@case(
    "b307",
    "lea-azure-wiki-page-without-if-match",
    "token-missing",
    "409",
    alone="token-missing exists-already",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A generator PUTs an existing wiki page without If-Match; the service answers 409 and asks for a valid "
        "version in If-Match. With the tag of a read the page is written."
    ),
)
def azure_wiki(stage: Stage) -> None:
    """Write without the version that is asked for."""
    server = place.forge(stage, "Azure DevOps' wiki")
    me = stage.actor("client", server, place.AZURE, "httpx", place.basic("docgen"))
    page = {"content": "# Onboarding\n\n1. Get a badge.\n"}
    me.send("GET", place.WIKI.replace("Onboarding", "Glossary"), 404)
    me.put(place.WIKI.replace("Onboarding", "Glossary"), {"content": "# Glossary\n"}, 201)
    me.put(place.WIKI, page, 409)
    time.sleep(0.5)
    me.put(place.WIKI, page, 409)
    tag = me.get(place.WIKI).etag
    me.put(place.WIKI, page, 200, {"If-Match": tag})


@case(
    "b308",
    "lea-bitbucket-version-before-own-edit",
    "stale-stored-token",
    "409",
    alone="stale-stored-token",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A merge bot keeps the pull request it has read, edits its title (the answer carries version 3) and merges "
        "with version 2 of the kept one: 409. With the version of its own edit the merge is done."
    ),
)
def bitbucket_merge(stage: Stage) -> None:
    """Merge with a version from before one's own edit."""
    server = place.forge(stage, "Bitbucket's pull requests")
    front = fronts.apache(stage, server)
    me = stage.actor("client", front, place.BITBUCKET, "java", place.bearer("merge"))
    me.get(place.PULL.replace("17", "18"))
    kept = me.get(place.PULL).json
    edited = me.put(place.PULL, {"version": kept["version"], "title": "PAY-17: pool connections"}, 200).json
    time.sleep(0.5)
    me.send("POST", f"{place.PULL}/merge?version={kept['version']}", 409)
    me.send("POST", f"{place.PULL}/merge?version={edited['version']}", 200)
    me.get(place.PULL)


@case(
    "b309",
    "lea-grafana-version-mismatch",
    "other-writer",
    "412",
    alone="other-writer",
    synthetic=True,
    description=(
        "Two people edit one dashboard of Grafana; the second save names version 7 while the dashboard is at 8: "
        "412 version-mismatch. The client looks at the new one and leaves it."
    ),
)
def grafana_two(stage: Stage) -> None:
    """Save a dashboard that has changed."""
    server = place.forge(stage, "Grafana's dashboards")
    front = fronts.traefik(stage, [server])
    me = stage.actor("client", front, place.GRAFANA, "node:fetch", place.bearer("ola"))
    other = stage.actor(
        "other", front, place.GRAFANA, "requests", place.bearer("bo", **{"X-Grafana-User": "bo"})
    )
    me.get("/api/search?query=&limit=50")
    mine = me.get(place.BOARD).json["dashboard"]
    me.get(place.BOARD.replace("cIBgcSjkk", "k8sNodes1"))
    theirs = other.get(place.BOARD).json["dashboard"]
    panels = [*theirs["panels"], {"id": 2, "type": "stat", "title": "errors"}]
    other.send("POST", place.BOARDS, 200, None, place.saved(theirs, "errors", panels=panels))
    time.sleep(0.8)
    me.send("POST", place.BOARDS, 412, None, place.saved(mine, "title", title="Checkout latency (EU)"))
    me.get(place.BOARD)
    me.get("/api/search?query=&limit=50")


@case(
    "b310",
    "lea-grafana-fresh-version-old-panels",
    "blind-refresh",
    "lost-update",
    alone="blind-refresh",
    synthetic=True,
    description=(
        "A provisioning tool reads the dashboard only for its version number and posts the panels it rendered from "
        "an earlier read: accepted, and the panel that a colleague added in between is gone."
    ),
)
def grafana_blind(stage: Stage) -> None:
    """Put a new number on an old dashboard."""
    server = place.forge(stage, "Grafana's dashboards")
    me = stage.actor("client", server, place.GRAFANA, "httpx", place.bearer("provision"))
    other = stage.actor(
        "other", server, place.GRAFANA, "httpx", place.bearer("bo", **{"X-Grafana-User": "bo"})
    )
    old = me.get(place.BOARD).json["dashboard"]
    theirs = other.get(place.BOARD).json["dashboard"]
    panels = [*theirs["panels"], {"id": 2, "type": "stat", "title": "errors by region"}]
    other.send("POST", place.BOARDS, 200, None, place.saved(theirs, "errors", panels=panels))
    me.get("/api/search?query=node&limit=50")
    time.sleep(0.9)
    version = me.get(place.BOARD).json["meta"]["version"]
    me.send("POST", place.BOARDS, 200, None, place.saved(old, "sync", version=version, refresh="30s"))
    place.require(holds=len(me.get(place.BOARD).json["dashboard"]["panels"]) == 1, otherwise="not lost")


@case(
    "b311",
    "lea-docker-update-out-of-sequence",
    "status-dialect-mismatch",
    "500",
    alone="status-dialect-mismatch retry-reuses-failed-token",
    also="other-writer retry-reuses-failed-token",
    synthetic=True,
    description=(
        "Docker tells a wrong version index with status 500 (update out of sequence). The deployer takes it for a "
        "failure of the server and repeats the same request after pauses; only a read of the service would help."
    ),
)
def docker_sequence(stage: Stage) -> None:
    """Take a conflict for a failing server."""
    server = place.forge(stage, "Docker's Engine API")
    me = stage.actor("client", server, "swarm.acme.test", "requests", {"User-Agent": "deployer/2.2"})
    other = stage.actor("other", server, "swarm.acme.test", "curl", {"User-Agent": "Docker-Client/27.3.1"})
    me.get("/v1.47/services")
    seen = me.get(place.SERVICE).json
    theirs = other.get(place.SERVICE).json
    scaled = {**theirs["Spec"], "Mode": {"Replicated": {"Replicas": 4}}}
    other.send("POST", f"{place.SERVICE}/update?version={theirs['Version']['Index']}", 200, None, scaled)
    me.get("/v1.47/tasks")
    for pause in (0.3, 0.6, 1.2):
        path = f"{place.SERVICE}/update?version={seen['Version']['Index']}"
        me.send("POST", path, 500, None, {**seen["Spec"], "Labels": {"build": "8812"}})
        time.sleep(pause)
    me.get("/v1.47/services")


@case(
    "b312",
    "lea-docker-version-undefined",
    "null-token",
    "400",
    alone="null-token",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "A script reads Version instead of Version.Index of a list it has not asked for and sends "
        "?version=undefined; the engine cannot parse it. With the index it goes through."
    ),
)
def docker_undefined(stage: Stage) -> None:
    """Send a number that is not there."""
    server = place.forge(stage, "Docker's Engine API")
    me = stage.actor("client", server, "swarm.acme.test", "node:axios", {"User-Agent": "axios/1.7 swarmctl"})
    seen = me.get(place.SERVICE).json
    me.get("/v1.47/tasks")
    me.send("POST", f"{place.SERVICE}/update?version=undefined", 400, None, seen["Spec"])
    time.sleep(0.3)
    me.send("POST", f"{place.SERVICE}/update?version=undefined", 400, None, seen["Spec"])
    index = me.get(place.SERVICE).json["Version"]["Index"]
    me.send("POST", f"{place.SERVICE}/update?version={index}", 200, None, seen["Spec"])


@case(
    "b313",
    "lea-nomad-two-workers-one-index",
    "self-race",
    "500",
    alone="self-race",
    also="status-dialect-mismatch",
    synthetic=True,
    description=(
        "One rollout tool registers a Nomad job from two threads at once, both with EnforceIndex and the index of one "
        "read; one is taken, the other gets 500 (conflicting job modify index)."
    ),
)
def nomad_race(stage: Stage) -> None:
    """Write twice at once with one index."""
    server = place.forge(stage, "Nomad's jobs", SLOW="80")
    port = stage.tap("client", server)
    always = place.bearer("rollout", **{"X-Run": "rollout-5521"})
    first, second = (Actor("nomad.acme.test", port, Requests(), always) for _ in range(2))
    first.get("/v1/job/report")
    index = first.get("/v1/job/nightly").json["JobModifyIndex"]
    second.get("/v1/job/report")
    path, enforced = "/v1/job/nightly", {"EnforceIndex": True, "JobModifyIndex": index}
    bodies = [
        {**enforced, "Job": {"ID": "nightly", "TaskGroups": [{"Name": "main", "Count": count}]}}
        for count in (3, 4)
    ]
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(first.send, "POST", path, (200, 500), None, bodies[0])
        two = pool.submit(second.send, "POST", path, (200, 500), None, bodies[1])
    seen = {one.result().status, two.result().status}
    place.require(holds=seen == {200, 500}, otherwise=f"{seen}")
    first.get("/v1/job/nightly")
    for actor in (first, second):
        actor.program.close()
