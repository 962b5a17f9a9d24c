// Imitations of developers' products on Node's http, after their published documentation: GitLab (repository files,
// last_commit_id), Azure DevOps (work items by JSON Patch with test of /rev, wiki pages with If-Match), Bitbucket
// (version of pull requests, sourceCommitId), Grafana (version in the body, 412), Docker (version index in the query),
// Nomad (EnforceIndex), Terraform (state with a lock), Harbor (412 for immutable tags).
// Environment: SLOW=ms before files are written, LEASE=ms a state lock lives, TRIAGE=1 a rule of the board edits a
// work item 300 ms after each save, FIREWALL=1 a page with 412 for bodies with a script tag.
"use strict";
const http = require("http"), crypto = require("crypto");
const sha = (...parts) => crypto.createHash("sha1").update(parts.join("\0")).digest("hex");
const now = () => new Date().toISOString();
const commits = [{ id: sha("root"), title: "Initial commit", author: "Administrator" }];
const files = new Map(), items = new Map(), wiki = new Map(), pulls = new Map(), boards = new Map(), jobs = new Map();
const service = { ID: "9mnpnzenvg8p8tdbtq4wvbkcz", Version: { Index: 19 }, CreatedAt: now(), UpdatedAt: now(),
  Spec: { Name: "web", TaskTemplate: { ContainerSpec: { Image: "registry.acme.test/web:1.18.2" } }, Mode: { Replicated: { Replicas: 3 } } } };
const state = { text: null, lock: null, since: 0 };
let index = 1840;
function commit(title, author) { const made = { id: sha(title, author, now(), commits.length), title, author }; commits.push(made); return made; }
for (const [path, text] of Object.entries({ "deploy/values.yaml": "replicas: 3\nimage: web:1.18.2\nlogLevel: info\n",
  "README.md": "# Payments\n\nRuns on port 8080.\n", ".gitlab-ci.yml": "stages: [build, test]\n", "docs/runbook.md": "# Runbook\n\n1. Look at the board.\n" })) {
  const made = commit("Add " + path, "Administrator");
  files.set(path, { text, last: made.id });
}
commit("Merge branch 'docs' into 'main'", "Ines Marchetti");
for (const [id, title] of [[299, "Login loops on expired session"], [300, "Export is empty on Sundays"], [301, "Upgrade TLS library"]]) {
  items.set(id, { rev: 3, fields: { "System.Title": title, "System.State": "Active", "System.AssignedTo": "", "Microsoft.VSTS.Common.Priority": 2, "System.ChangedBy": "Project Bot" } });
}
for (const path of ["/Onboarding", "/Releases/2026-11"]) wiki.set(path, { text: `# ${path}\n\nTo be written.\n`, version: 4 });
for (const id of [17, 18]) pulls.set(id, { version: 2, title: `Pool connections (${id})`, description: "", state: "OPEN", reviewers: [] });
for (const [uid, title] of [["cIBgcSjkk", "Checkout latency"], ["k8sNodes1", "Cluster nodes"]]) boards.set(uid, { id: boards.size + 11, uid, title, version: 7, schemaVersion: 39, panels: [{ id: 1, type: "timeseries", title: "p95" }] });
for (const key of ["nightly", "report"]) jobs.set(key, { JobModifyIndex: (index += 9), Version: 2, Status: "running", TaskGroups: [{ Name: "main", Count: 1 }] });

function answer(res, status, body, fields = {}) {
  const text = body === null ? "" : typeof body === "string" ? body : JSON.stringify(body);
  res.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text), ...fields });
  res.end(text);
}
const trace = (name) => ({ [name]: crypto.randomBytes(13).toString("hex").toUpperCase() });

function gitlab(req, res, url, sent) {
  const rest = decodeURIComponent(url.pathname.split("/repository/")[1] || ""), fields = { ...trace("X-Request-Id"), "X-Runtime": "0.0" + (41 + commits.length), Vary: "Origin" };
  if (rest === "commits") return answer(res, 200, [...commits].reverse().slice(0, 5), fields);
  const path = rest.replace(/^files\//, ""), kept = files.get(path);
  if (req.method === "GET" || req.method === "HEAD") {
    if (!kept) return answer(res, 404, { message: "404 File Not Found" }, fields);
    const head = commits[commits.length - 1].id, own = { "X-Gitlab-Last-Commit-Id": kept.last, "X-Gitlab-Commit-Id": head, "X-Gitlab-Blob-Id": sha(kept.text) };
    const body = { file_name: path.split("/").pop(), file_path: path, size: kept.text.length, encoding: "base64", ref: "main", blob_id: sha(kept.text), commit_id: head, last_commit_id: kept.last, execute_filemode: false, content: Buffer.from(kept.text).toString("base64") };
    return answer(res, 200, body, { ...fields, ...own, ETag: `W/"${sha(JSON.stringify(body)).slice(0, 32)}"`, "Cache-Control": "max-age=0, private, must-revalidate" });
  }
  if (req.method === "POST" && kept) return answer(res, 400, { message: "A file with this name already exists" }, fields);
  if (req.method === "PUT" && !kept) return answer(res, 400, { message: "A file with this name doesn't exist" }, fields);
  if (sent.last_commit_id && kept && sent.last_commit_id !== kept.last) return answer(res, 400, { message: "You are attempting to update a file that has changed since you started editing it." }, fields);
  if (req.method === "DELETE") { files.delete(path); commit(sent.commit_message, sent.author_name); return answer(res, 204, null, fields); }
  const write = () => { const made = commit(sent.commit_message, sent.author_name || "?"); files.set(path, { text: sent.content, last: made.id }); answer(res, req.method === "POST" ? 201 : 200, { file_path: path, branch: "main" }, fields); };
  setTimeout(write, Number(process.env.SLOW || 0));
}

function item(req, res, url, sent) {
  const id = Number(url.pathname.match(/workitems\/(\d+)/i)[1]), kept = items.get(id), fields = { ...trace("X-VSS-E2EID"), "X-TFS-ProcessId": "5e9a6f5c-11", "X-VSS-UserData": "a7c0:" + (req.headers["x-user"] || "anonymous") };
  if (!kept) return answer(res, 404, { $id: "1", message: `TF401232: Work item ${id} does not exist, or you do not have permissions to read it.`, typeKey: "WorkItemUnauthorizedAccessException", errorCode: 0 }, fields);
  const shown = () => ({ id, rev: kept.rev, fields: kept.fields, url: `http://dev.azure.test/acme/_apis/wit/workItems/${id}` });
  if (req.method === "GET") return answer(res, 200, shown(), fields);
  for (const step of sent) if (step.op === "test") {
    if (step.path === "/rev" && Number(step.value) !== kept.rev) return answer(res, 412, { $id: "1", innerException: null, message: `VS403524: The Patch document's test operation for /rev failed: expected ${step.value}, the current revision is ${kept.rev}.`, typeName: "Microsoft.VisualStudio.Services.Common.VssPropertyValidationException", typeKey: "RuleValidationException", errorCode: 0, eventId: 3000 }, fields);
    const name = step.path.replace("/fields/", "");
    if (step.path.startsWith("/fields/") && kept.fields[name] !== step.value) return answer(res, 412, { $id: "1", innerException: null, message: `TF51011: The test operation for path ${step.path} failed: the value is '${kept.fields[name]}'.`, typeKey: "TestPatchOperationFailedException", errorCode: 0, eventId: 3000 }, fields);
  }
  for (const step of sent) if (step.op !== "test") kept.fields[step.path.replace("/fields/", "")] = step.value;
  kept.rev += 1; kept.fields["System.ChangedBy"] = req.headers["x-user"] || "?"; kept.fields["System.ChangedDate"] = now();
  answer(res, 200, shown(), fields);
  if (process.env.TRIAGE) setTimeout(() => { kept.rev += 1; kept.fields["System.Tags"] = "triaged"; kept.fields["System.ChangedBy"] = "Microsoft.TeamFoundation.System"; }, 300);
}

function wikiPage(req, res, url, sent) {
  const path = url.searchParams.get("path"), kept = wiki.get(path), match = req.headers["if-match"], fields = trace("ActivityId");
  const shown = (one) => ({ path, order: 0, isParentPage: false, gitItemPath: path + ".md", content: one.text, remoteUrl: "http://dev.azure.test/acme/wiki" + path });
  const tag = (one) => `"${sha(path, one.version)}"`;
  if (req.method === "GET") return kept ? answer(res, 200, shown(kept), { ...fields, ETag: tag(kept), "Cache-Control": process.env.HINT || "no-cache" }) : answer(res, 404, { message: `Wiki page '${path}' could not be found.`, typeKey: "WikiPageNotFoundException" }, fields);
  if (kept && !match) return answer(res, 409, { $id: "1", message: `The page '${path}' specified in the add operation already exists in the wiki. Please specify a valid version (ETag) in the If-Match header to update it.`, typeKey: "WikiPageAlreadyExistsException", errorCode: 0 }, fields);
  if (match && (!kept || match.replaceAll('"', "") !== tag(kept).replaceAll('"', ""))) return answer(res, 412, { $id: "1", message: `The version '${match}' either is invalid or does not exist for the page '${path}'.`, typeKey: "WikiPageHasConflictsException", errorCode: 0, eventId: 3000 }, fields);
  const made = { text: sent.content, version: (kept ? kept.version : 0) + 1 };
  wiki.set(path, made);
  answer(res, kept ? 200 : 201, shown(made), { ...fields, ETag: tag(made) });
}

function pull(req, res, url, sent) {
  const [, id, verb] = url.pathname.match(/pull-requests\/(\d+)(?:\/(\w+))?/), kept = pulls.get(Number(id)), fields = { "X-AREQUESTID": `@${sha(now()).slice(0, 6)}x${id}`, "X-ASEN": "SEN-500" };
  if (req.method === "GET") return answer(res, 200, { id: Number(id), ...kept }, fields);
  const version = verb ? url.searchParams.get("version") : sent.version;
  if (String(version) !== String(kept.version)) return answer(res, 409, { errors: [{ context: null, message: `You are attempting to modify a pull request based on out-of-date information.`, exceptionName: "com.atlassian.bitbucket.pull.PullRequestOutOfDateException", currentVersion: kept.version, expectedVersion: Number.isNaN(Number(version)) ? version : Number(version) }] }, fields);
  if (verb === "merge") kept.state = "MERGED"; else { const { version: _, ...rest } = sent; Object.assign(kept, rest); }
  kept.version += 1;
  answer(res, 200, { id: Number(id), ...kept }, fields);
}

function grafana(req, res, url, sent) {
  const uid = url.pathname.split("/uid/")[1];
  if (req.method === "GET" && url.pathname === "/api/search") return answer(res, 200, [...boards.values()].map(({ id, uid: u, title }) => ({ id, uid: u, title, type: "dash-db", tags: [] })));
  if (req.method === "GET") { const one = boards.get(uid); return one ? answer(res, 200, { meta: { type: "db", canSave: true, slug: "x", version: one.version, updatedBy: one.by || "admin" }, dashboard: { ...one, by: undefined } }) : answer(res, 404, { message: "Dashboard not found" }); }
  const board = sent.dashboard, kept = boards.get(board.uid);
  if (!kept && [...boards.values()].some((one) => one.title === board.title)) return answer(res, 412, { message: "A dashboard with the same name in the folder already exists", status: "name-exists" });
  if (kept && !sent.overwrite && board.version !== kept.version) return answer(res, 412, { message: "The dashboard has been changed by someone else", status: "version-mismatch" });
  const made = { ...board, uid: board.uid || sha(board.title).slice(0, 9), id: kept ? kept.id : boards.size + 11, version: (kept ? kept.version : 0) + 1, by: req.headers["x-grafana-user"] };
  boards.set(made.uid, made);
  answer(res, 200, { id: made.id, slug: made.title.toLowerCase().replaceAll(" ", "-"), status: "success", uid: made.uid, url: `/d/${made.uid}`, version: made.version });
}

function docker(req, res, url, sent) {
  const fields = { "Api-Version": "1.47", "Docker-Experimental": "false", Ostype: "linux", Server: "Docker/27.3.1 (linux)" };
  if (req.method === "GET") return answer(res, 200, url.pathname.endsWith("/services") ? [service] : url.pathname.endsWith("/tasks") ? [{ ID: "0kzzo1i0y4jz6", Status: { State: "running" } }] : service, fields);
  const asked = url.searchParams.get("version");
  if (!/^\d+$/.test(asked)) return answer(res, 400, { message: `error parsing version "${asked}": strconv.ParseUint: parsing "${asked}": invalid syntax` }, fields);
  if (Number(asked) !== service.Version.Index) return answer(res, 500, { message: "rpc error: code = Unknown desc = update out of sequence" }, fields);
  Object.assign(service, { Spec: sent, Version: { Index: service.Version.Index + 3 }, UpdatedAt: now() });
  answer(res, 200, { Warnings: null }, fields);
}

function nomad(req, res, url, sent) {
  const key = url.pathname.replace("/v1/job/", ""), kept = jobs.get(key), fields = { "X-Nomad-Index": String(index), "X-Nomad-Knownleader": "true", "X-Nomad-Lastcontact": "0" };
  if (req.method === "GET") return kept ? answer(res, 200, { ID: key, Namespace: "default", Type: "batch", ...kept }, fields) : answer(res, 404, "job not found", { ...fields, "Content-Type": "text/plain" });
  const plain = { ...fields, "Content-Type": "text/plain; charset=utf-8" };
  if (sent.EnforceIndex && sent.JobModifyIndex !== (kept ? kept.JobModifyIndex : 0)) return answer(res, 500, `Enforcing job modify index ${sent.JobModifyIndex}: job exists with conflicting job modify index: ${kept ? kept.JobModifyIndex : 0}`, plain);
  const made = { JobModifyIndex: (index += 1), Version: (kept ? kept.Version : 0) + 1, Status: "running", TaskGroups: sent.Job.TaskGroups };
  jobs.set(key, made);
  setTimeout(() => answer(res, 200, { EvalID: crypto.randomUUID(), EvalCreateIndex: index, JobModifyIndex: made.JobModifyIndex, Warnings: "" }, fields), Number(process.env.SLOW || 0));
}

function terraform(req, res, url, sent, text) {
  const expired = state.lock && process.env.LEASE && Date.now() - state.since > Number(process.env.LEASE);
  if (req.method === "GET") return state.text ? answer(res, 200, state.text) : answer(res, 204, null);
  if (url.pathname.endsWith("/lock")) {
    if (req.method === "POST") { if (state.lock && !expired) return answer(res, 423, state.lock); state.lock = sent; state.since = Date.now(); return answer(res, 200, sent); }
    if (state.lock && sent.ID !== state.lock.ID) return answer(res, 423, state.lock);
    state.lock = null; return answer(res, 200, null);
  }
  const id = url.searchParams.get("ID");
  if (expired) { const was = state.lock; return answer(res, 409, { error: "lock_expired", lock: was.ID, acquired: was.Created, ttl_seconds: Number(process.env.LEASE) / 1000, detail: "The state lock has expired; acquire it again." }); }
  if (state.lock && id !== state.lock.ID) return answer(res, 423, state.lock);
  state.text = text; answer(res, 200, null);
}

function harbor(req, res, url) {
  const tag = url.pathname.split("/").pop(), fields = { "X-Request-Id": crypto.randomUUID(), "Set-Cookie": "sid=" + sha(now()).slice(0, 16) + "; Path=/; HttpOnly" };
  if (req.method === "GET") return answer(res, 200, [{ digest: "sha256:" + sha("d").repeat(2).slice(0, 64), tags: [{ name: "v2.4.0", immutable: true }, { name: "nightly", immutable: false }] }], fields);
  if (tag.startsWith("v")) return answer(res, 412, { errors: [{ code: "PRECONDITION", message: `the artifact has tag ${tag} that is matched with the immutable rule, cannot be deleted` }] }, fields);
  answer(res, 200, null, fields);
}

http.createServer((req, res) => {
  let text = "";
  req.on("data", (part) => (text += part)).on("end", () => {
    const url = new URL(req.url, "http://x"), type = req.headers["content-type"] || "";
    if (url.pathname === "/-/up") return answer(res, 200, { up: true });
    if (process.env.FIREWALL && /<script/i.test(text)) return answer(res, 412, "<html><head><title>Request rejected</title></head><body><h1>Request rejected</h1><p>Support ID: 8417" + Date.now() + "</p></body></html>", { "Content-Type": "text/html", Connection: "close" });
    const sent = text && type.includes("json") ? JSON.parse(text) : {};
    const routes = [["/api/v4/projects/", gitlab], ["/acme/pay/_apis/wit/", item], ["/acme/pay/_apis/wiki/", wikiPage], ["/rest/api/1.0/", pull], ["/api/v2.0/", harbor], ["/api/", grafana], ["/v1.47/", docker], ["/v1/job/", nomad], ["/state/", terraform]];
    const found = routes.find(([prefix]) => url.pathname.startsWith(prefix));
    if (!found) return answer(res, 404, { message: "404 Not Found" });
    if (!req.headers.authorization && !req.headers["private-token"] && !["/state/", "/v1.47/"].includes(found[0])) return answer(res, 401, { message: "401 Unauthorized" }, { "WWW-Authenticate": "Basic realm=\"forge\"" });
    found[1](req, res, url, sent, text);
  });
}).listen(Number(process.argv[2]), "127.0.0.1");
