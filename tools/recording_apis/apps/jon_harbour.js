// A harbour's berth planning on Express: JSON documents with a `_meta`, PUT and PATCH under entity tags.
// Environment (all optional): SEED documents by path; REQUIRE=1 asks for If-Match (428); STAMP=ms the tide service
// writes to a document so long after each save; LINK=1 a saved vessel touches its berth; HOLD=ms each write waits
// its turn so long; GAP=ms between the check and the write; IGNORE=1 checks nothing on PATCH; EARLY=1 writes before
// it checks; SHAKE=1 a tag a rendering; HEADS=1 HEAD computes tags otherwise; WEAK=1 weak tags only; LAG=ms reads
// come from a replica so far behind; NODE names the machine and makes tags its own; CORS origin, EXPOSE fields that
// its scripts may read; SLOW=ms the first write is stored at once and answered so late; MOVED=status answers writes below /portcall/v1 by a redirect to v2; WRITE_LOG=1 shows history.
"use strict";
const express = require("express");
const crypto = require("crypto");
const env = process.env, app = express();
app.disable("x-powered-by");
app.set("etag", false);
const store = new Map(), history = [];
const pause = (ms) => new Promise((done) => setTimeout(done, Number(ms || 0)));
let boot = crypto.randomBytes(3).toString("hex"), turn = Promise.resolve(), slowed = false;

function keep(path, body, by) {
  const before = store.get(path) || [], rev = before.length ? before.at(-1).rev + 1 : 41 + (path.length % 7);
  const made = { body, rev, by, at: Date.now() };
  store.set(path, [...before, made]);
  history.push({ path, rev, by, at: new Date(made.at).toISOString() });
  return made;
}
for (const [path, body] of Object.entries(JSON.parse(env.SEED || "{}"))) keep(`/${path}`, body, "import");
for (const versions of store.values()) versions[0].at -= 7200000;

function tag(path, version, head) {
  const salt = env.SHAKE ? crypto.randomBytes(4).toString("hex") : env.NODE ? `${env.NODE}${boot}` : head && env.HEADS ? "h" : "";
  const sum = crypto.createHash("md5").update(`${path}|${version.rev}|${JSON.stringify(version.body)}|${salt}`).digest("base64url");
  return `${env.WEAK ? "W/" : ""}"h${version.rev}.${sum.slice(0, 10)}"`;
}
const latest = (path) => (store.get(path) || []).at(-1);
const seen = (path) => (store.get(path) || []).filter((one, i, all) => i === 0 || all.length === 1 || Date.now() - one.at >= Number(env.LAG || 0)).at(-1);
const shown = (v) => ({ ...v.body, _meta: { rev: v.rev, updatedBy: v.by, updatedAt: new Date(v.at).toISOString() } });
function fault(response, status, code, hint, more = {}) {
  response.status(status).json({ fault: { code, hint, ...more }, ref: response.get("Port-Trace") });
}
app.use(express.json({ type: ["application/json", "application/merge-patch+json"], strict: false }));
app.use(express.text({ type: "text/*" }));
app.use((request, response, next) => {
  response.set({ "Port-Trace": crypto.randomUUID(), "Cache-Control": "private, no-cache", Vary: "Accept-Encoding" });
  if (env.PUBLIC) response.set("Cache-Control", env.PUBLIC);
  if (env.NODE) response.set("X-Quay-Node", env.NODE);
  if (env.CORS) response.set({ "Access-Control-Allow-Origin": env.CORS, Vary: "Origin" });
  if (env.CORS && env.EXPOSE) response.set("Access-Control-Expose-Headers", env.EXPOSE);
  if (request.method === "OPTIONS") {
    return response.set({ "Access-Control-Allow-Methods": "GET, PUT, PATCH, DELETE", "Access-Control-Max-Age": "5",
      "Access-Control-Allow-Headers": env.ALLOW || "content-type, if-match, x-agent" }).status(204).end();
  }
  next();
});
app.get("/-/up", (_, response) => response.send("up"));
app.post("/portcall/v2/session", (request, response) =>
  request.body.pin === "0000" ? fault(response, 401, "auth.pin", "Wrong PIN.")
    : response.status(201).json({ token: crypto.createHash("sha1").update(String(request.body.agent)).digest("hex"), agent: request.body.agent, ttl: 900 }));
app.get("/portcall/v2/tides", (_, response) => response.json({ station: "Vlissingen", next: [{ hw: "04:12", m: 4.71 }, { lw: "10:33", m: 0.62 }] }));
app.get("/portcall/v2/ais", (request, response) => response.set("Cache-Control", "no-store").json({ seq: Number(request.query.after || 0) + 3, contacts: [] }));
app.get("/portcall/v2/radar", (_, response) => fault(response, 503, "radar.offline", "Maintenance until 06:00."));
app.get("/portcall/v2/history", (_, response) => response.json({ entries: env.WRITE_LOG ? history : [] }));
const agent = (request) => request.get("X-Agent") || (request.get("Authorization") || "anonymous").slice(0, 15);

app.all(/^\/portcall\/v1\/.*/, (request, response) => {
  response.redirect(Number(env.MOVED || 308), request.originalUrl.replace("/v1/", "/v2/"));
});
app.get(/^\/portcall\/v2\/(berths|vessels|pilots|notices)$/, (request, response) => {
  const under = [...store.keys()].filter((one) => one.startsWith(`${request.path}/`) && latest(one));
  response.json({ total: under.length, items: under.map((one) => ({ href: one, ...shown(seen(one)), _tag: tag(one, seen(one)) })) });
});
app.get(/^\/portcall\/v2\/.+/, (request, response) => {
  const version = seen(request.path);
  if (!version || version.body === null) return fault(response, 404, "document.unknown", "No such document.");
  const mine = tag(request.path, version, request.method === "HEAD");
  if (!env.BARE) response.set("ETag", mine);
  const named = request.get("If-None-Match");
  if (named && (named === "*" || named.replaceAll("W/", "").includes(mine.replace("W/", "")))) return response.status(304).end();
  response.json(shown(version));
});

function verdict(request, version) {
  const match = request.get("If-Match"), none = request.get("If-None-Match");
  const alive = version && version.body !== null;
  if (none === "*" && alive) return "exists";
  if (none && none !== "*" && alive && none.includes(tag(request.path, version))) return "unchanged";
  if (env.IGNORE && request.method === "PATCH") return "";
  if (match === undefined) return env.REQUIRE && none === undefined ? "required" : "";
  if (match === "*") return alive ? "" : "gone";
  const known = alive && match.split(/,\s*/).some((one) => one === tag(request.path, version) && !one.startsWith("W/"));
  return known ? "" : alive ? "stale" : "gone";
}
async function save(request, response) {
  const path = request.path, early = latest(path), judged = verdict(request, early);
  await pause(env.GAP);
  const patch = request.method === "PATCH", body = request.method === "DELETE" ? null
    : patch ? { ...(latest(path) || { body: {} }).body, ...request.body } : request.body;
  if (body) delete body._meta;
  if (judged === "required") return fault(response, 428, "precondition.required", "Name the revision you edited in If-Match.");
  if (judged) {
    return fault(response, 412, `document.${judged}`, judged === "exists" ? "Already there." : "Fetch it again.");
  }
  const made = keep(path, body, agent(request));
  if (env.STAMP) setTimeout(() => keep(path, { ...latest(path).body, tideWindow: "04:12-06:40" }, "tide-service"), Number(env.STAMP));
  if (env.LINK && path.includes("/vessels/") && body && body.berth) {
    const berth = `/portcall/v2/berths/${body.berth}`;
    keep(berth, { ...latest(berth).body, occupant: path.split("/").pop() }, "scheduler");
  }
  if (env.EARLY && request.get("If-Match")) {
    const after = request.get("If-Match") === tag(path, made);
    if (!after) return fault(response, 412, "document.stale", "Fetch it again.");
  }
  if (env.SLOW && !slowed) {
    slowed = true;
    await pause(env.SLOW);
  }
  if (!env.BARE && body) response.set("ETag", tag(path, made));
  if (body === null) return response.status(204).end();
  response.status(early && early.body !== null ? 200 : 201).json(shown(made));
}
function write(request, response) {
  if (env.GAP || !env.HOLD) return save(request, response);
  turn = turn.then(() => pause(env.HOLD)).then(() => save(request, response));
}
app.put(/^\/portcall\/v2\/.+/, write);
app.patch(/^\/portcall\/v2\/.+/, write);
app.delete(/^\/portcall\/v2\/.+/, write);
app.use((error, request, response, next) => fault(response, 400, "body.unreadable", "Not JSON."));
app.listen(Number(process.argv[2]), "127.0.0.1");
