// More imitations for kim_cloud.js, after their documentation: graphql (versions as arguments), github (contents by
// blob sha), google (calendar, contacts, policies, objects).
"use strict";
const crypto = require("crypto");
const store = require.main.exports;
const { set, md5, iso, refusal, current, shown, below, write } = store;

// A GraphQL service of listings: the version is an argument; refusals are errors, or userErrors with USERERRORS=1.
const graphql = {
  async serve(q) {
    if (q.method === "GET") return refusal(200, { status: "pass", checks: { db: "ok" } });
    const given = q.json.variables || {}, name = q.json.operationName || "", key = `listing/${given.id}`;
    const show = (one) => one && { __typename: "Listing", id: given.id, version: one.n, updatedBy: one.by, ...one.body };
    if (/^Get/.test(name)) return refusal(200, { data: { listing: show(shown(key)) } });
    if (/^List/.test(name)) return refusal(200, { data: { listings: { totalCount: below("listing/").length, nodes: below("listing/").map((one) => ({ id: one.key.slice(8), version: one.n, ...one.body })) } } });
    const field = name.charAt(0).toLowerCase() + name.slice(1);
    const check = (now) => {
      if (!now) return refusal(200, { data: { [field]: null }, errors: [{ message: "Listing not found", path: [field], extensions: { code: "NOT_FOUND" } }] });
      if (given.version === undefined && set("NEED")) return refusal(200, { errors: [{ message: 'Variable "$version" of required type "Int!" was not provided.', extensions: { code: "BAD_USER_INPUT" } }] });
      if (given.version === undefined || given.version === now.n) return null;
      if (set("USERERRORS")) return refusal(200, { data: { [field]: { listing: null, userErrors: [{ field: ["version"], code: "STALE_OBJECT", message: `Listing was changed (now ${now.n})` }] } } });
      const extensions = { code: "CONFLICT", expectedVersion: given.version, currentVersion: now.n, lastChangedBy: now.by };
      return refusal(200, { data: { [field]: null }, errors: [{ message: "Stale object: the listing was modified", path: [field], extensions }] });
    };
    const done = await write(key, check, (now) => ({ ...now.body, ...given.input }), q.by);
    return done.no || refusal(200, { data: { [field]: { listing: show(done.state), userErrors: [] } } });
  },
  fields: () => ({ "content-type": "application/graphql-response+json", "x-trace": md5(String(Math.random())) }),
};

// GitHub's contents: the blob's sha in the body, 409 when it does not match, 422 when it is not there.
const sha1 = (text) => crypto.createHash("sha1").update(`blob ${Buffer.byteLength(text)}\0${text}`).digest("hex");
const github = {
  head: () => md5(below("").map((one) => one.seq).join()).padEnd(40, "7"),
  async serve(q) {
    const found = q.path.match(/^\/repos\/([^/]+\/[^/]+)\/contents\/(.+)$/);
    if (!found && q.path.endsWith("/commits")) return refusal(200, below("").slice(-3).map((one) => ({ sha: md5(String(one.seq)).padEnd(40, "0"), commit: { message: `Update ${one.key}`, author: { name: one.by } } })));
    if (!found) return refusal(200, { login: "depot-bot", id: 8841, default_branch: "main", object: { type: "commit", sha: github.head() } });
    const [, repo, path] = found, now = shown(path), told = { documentation_url: "https://docs.github.com/rest/repos/contents" };
    const entry = (one) => ({ type: "file", name: path.split("/").at(-1), path, sha: sha1(one.body.text), size: one.body.text.length, url: `https://api.github.example/repos/${repo}/contents/${path}?ref=main` });
    if (q.method === "GET") {
      if (!now) return refusal(404, { message: "Not Found", ...told, status: "404" });
      const tag = `W/"${md5(now.body.text)}${now.seq}"`;
      return q.headers["if-none-match"] === tag ? refusal(304, "", { ETag: tag }) : refusal(200, { ...entry(now), encoding: "base64", content: Buffer.from(now.body.text).toString("base64") }, { ETag: tag });
    }
    const at = github.head();
    const check = (one) => {
      if (set("BRANCH") && q.json.parent && q.json.parent !== github.head()) return refusal(409, { message: `is at ${github.head()} but expected ${q.json.parent}`, ...told, status: "409" });
      if (one && !q.json.sha) return refusal(422, { message: 'Invalid request.\n\n"sha" wasn\'t supplied.', ...told, status: "422" });
      return !one || q.json.sha === sha1(one.body.text) ? null : refusal(409, { message: `${path} does not match ${q.json.sha}`, ...told, status: "409" });
    };
    const done = await write(path, check, () => ({ text: Buffer.from(q.json.content || "", "base64").toString() }), q.by);
    const commit = { sha: github.head(), parents: [{ sha: at }], message: q.json.message, committer: { name: q.by } };
    return done.no || refusal(done.was ? 200 : 201, { content: entry(done.state), commit });
  },
  fields: () => ({ "content-type": "application/json; charset=utf-8", "X-GitHub-Media-Type": "github.v3; format=json", "x-github-api-version-selected": "2022-11-28", "X-RateLimit-Remaining": String(4999 - (store.calls = (store.calls || 0) + 1)), "X-GitHub-Request-Id": crypto.randomBytes(8).toString("hex").toUpperCase() }),
};

// Google's JSON interfaces: events by If-Match, people and policies by an etag in the body, objects by generation.
const fault = (code, status, message, more = {}) => refusal(code, { error: { code, message, status, ...more } });
const unmet = (message) => fault(412, undefined, message, { errors: [{ message, domain: "global", reason: "conditionNotMet", locationType: "header", location: "If-Match" }] });
const google = {
  event(q, id) {
    const key = `events/${id}`, show = (one) => ({ kind: "calendar#event", etag: `"${one.seq}000"`, id, status: "confirmed", sequence: one.n - 1, updated: iso(one.at), ...one.body });
    if (!id && q.query.get("syncToken")) {
      const issued = Number(Buffer.from(q.query.get("syncToken"), "base64").toString());
      if (Date.now() - issued > Number(set("EXPIRE") || 604800) * 1000) return fault(410, undefined, "Sync token is no longer valid, a full sync is required.", { errors: [{ domain: "calendar", reason: "fullSyncRequired", message: "Sync token is no longer valid, a full sync is required.", locationType: "parameter", location: "syncToken" }] });
    }
    if (!id && q.method === "GET") {
      const items = below("events/").filter((one) => !q.query.get("syncToken") || Date.now() - one.at < 4000).map((one) => ({ id: one.key.slice(7), etag: `"${one.seq}000"`, ...one.body }));
      return refusal(200, { kind: "calendar#events", etag: `"p33${serialOf()}"`, summary: "Team", nextSyncToken: Buffer.from(String(Date.now())).toString("base64"), items });
    }
    const now = shown(key);
    if (q.method === "GET") {
      if (!now) return fault(404, "NOT_FOUND", "Not Found");
      return q.headers["if-none-match"] === `"${now.seq}000"` ? refusal(304, "", { ETag: `"${now.seq}000"` }) : refusal(200, show(now), { ETag: `"${now.seq}000"` });
    }
    const match = q.headers["if-match"];
    const check = (one) => (!one ? (match ? unmet("Precondition Failed") : null) : match === undefined || match === "*" || match === `"${one.seq}000"` ? null : unmet("Precondition Failed"));
    return write(key, check, (one) => (q.method === "DELETE" ? null : q.method === "PATCH" ? { ...one.body, ...q.json } : q.json), q.by).then((done) => done.no || (done.state ? refusal(200, show(done.state), { ETag: `"${done.state.seq}000"` }) : refusal(204, "")));
  },
  person(q, id) {
    const key = `people/${id}`, tag = (one) => `%EgU${Buffer.from(`b${one.seq}`).toString("base64")}`;
    const show = (one) => ({ resourceName: `people/${id}`, etag: tag(one), metadata: { sources: [{ type: "CONTACT", etag: `#${tag(one).slice(4)}`, updateTime: iso(one.at) }] }, ...one.body });
    if (q.method === "GET") return shown(key) ? refusal(200, show(shown(key))) : fault(404, "NOT_FOUND", "Requested entity was not found.");
    const { etag, ...body } = q.json;
    const check = (one) => (!etag ? fault(400, "INVALID_ARGUMENT", "Request must set person.etag or person.metadata.sources.etag for the source that is being updated.") : etag === tag(one) ? null : fault(400, "FAILED_PRECONDITION", "Request person.etag is different than the current person.etag. Clear local cache and get the latest person."));
    return write(key, check, (one) => ({ ...one.body, ...body }), q.by).then((done) => done.no || refusal(200, show(done.state)));
  },
  policy(q, id, verb) {
    const key = `policies/${id}`, tag = (one) => Buffer.from(`BwY${one.seq}`).toString("base64"), show = (one) => ({ version: 3, etag: tag(one), ...one.body });
    if (verb === "getIamPolicy") return refusal(200, show(shown(key)));
    const { etag, version, ...body } = q.json.policy;
    const check = (one) => (!etag || etag === tag(one) ? null : fault(409, "ABORTED", `There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff. The request's ETag '${etag}' did not match the current policy's ETag '${tag(one)}'.`));
    return write(key, check, () => body, q.by).then((done) => done.no || refusal(200, show(done.state)));
  },
  object(q, name) {
    const key = `objects/${name}`, generation = (one) => `17957${one.seq}${String(one.at).slice(-6)}`, now = shown(key);
    const show = (one) => ({ kind: "storage#object", name, bucket: "atlas", generation: generation(one), metageneration: String(one.body.meta || 1), size: String(Buffer.byteLength(one.body.text)), updated: iso(one.at), etag: `C${md5(generation(one)).slice(0, 9)}=` });
    const wanted = q.query.get("ifGenerationMatch"), meta = q.query.get("ifMetagenerationMatch");
    const check = (one) => {
      if (wanted !== null && wanted !== (one ? generation(one) : "0")) return unmet("At least one of the pre-conditions you specified did not hold.");
      return meta === null || (one && meta === String(one.body.meta || 1)) ? null : unmet("At least one of the pre-conditions you specified did not hold.");
    };
    if (q.method === "GET") {
      if (!now) return fault(404, undefined, `No such object: atlas/${name}`);
      const no = check(now);
      if (no) return no;
      if (q.query.get("alt") !== "media") return refusal(200, show(now));
      const all = Buffer.from(now.body.text), range = (q.headers.range || "").match(/bytes=(\d+)-(\d*)/);
      const fields = { "content-type": "text/csv", "x-goog-generation": generation(now), "x-goog-stored-content-length": String(all.length) };
      if (!range) return refusal(200, all, fields);
      const from = Number(range[1]), to = Math.min(range[2] ? Number(range[2]) : all.length - 1, all.length - 1);
      return refusal(206, all.subarray(from, to + 1), { ...fields, "content-range": `bytes ${from}-${to}/${all.length}` });
    }
    const make = (one) => (q.method === "DELETE" ? null : q.method === "PATCH" ? { ...one.body, meta: (one.body.meta || 1) + 1 } : { text: q.text, meta: 1 });
    return write(key, check, make, q.by).then((done) => done.no || (done.state ? refusal(200, show(done.state)) : refusal(204, "")));
  },
  async serve(q) {
    let found;
    if ((found = q.path.match(/^\/calendar\/v3\/calendars\/[^/]+\/events(?:\/(.+))?$/))) return google.event(q, found[1]);
    if ((found = q.path.match(/^\/v1\/people\/([^:]+)/))) return google.person(q, found[1]);
    if ((found = q.path.match(/^\/v1\/projects\/([^:]+):(\w+)$/))) return google.policy(q, found[1], found[2]);
    if ((found = q.path.match(/^\/storage\/v1\/b\/atlas\/o\/(.+)$/))) return google.object(q, found[1]);
    if (q.path === "/upload/storage/v1/b/atlas/o") return google.object(q, q.query.get("name"));
    if (q.path === "/token") return refusal(200, { access_token: "ya29.EXAMPLE", expires_in: 3599, token_type: "Bearer" });
    return refusal(200, { kind: "discovery#restDescription", items: below("").length });
  },
  fields: () => ({ "content-type": "application/json; charset=UTF-8", Server: "ESF", Vary: "X-Origin, Referer, Origin", "X-XSS-Protection": "0", "Cache-Control": "private" }),
};
const serialOf = () => below("events/").reduce((most, one) => Math.max(most, one.seq), 0);
module.exports = { graphql, github, google };
