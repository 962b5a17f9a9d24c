// Imitations of products whose version token travels in the body or the query, after their documentation:
// DIALECT elastic, kube, couch, consul, vault, graphql, github, google (calendar, contacts, policies, objects).
// Environment: SEED states by key; SERIAL first number of the whole store; LAG seconds reads are behind; GAP between
// check and write; HOLD that a write takes; TARRY before the first write is answered; LATE=1 checks once more after
// the commit; IGNORE=1 checks nothing; STAMP seconds until the service itself merges STAMPED into what was written.
"use strict";
const http = require("http"), crypto = require("crypto");
const set = (name) => process.env[name] || "";
const sleep = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));
const md5 = (text) => crypto.createHash("md5").update(text).digest("hex");
const rows = new Map();
let serial = Number(set("SERIAL") || 48211), tarried = false, turn = Promise.resolve();

function commit(key, body, by) {
  const list = rows.get(key) || [], n = (list.length ? list.at(-1).n : 0) + 1;
  serial += 1 + (serial % 3);
  list.push({ key, n, seq: serial, body, at: Date.now(), by });
  rows.set(key, list);
  const state = list.at(-1);
  if (body && set("STAMP") && by !== "system" && by !== "seed") {
    setTimeout(() => commit(key, { ...current(key).body, ...JSON.parse(set("STAMPED") || "{}") }, "system"), set("STAMP") * 1000);
  }
  return body ? state : null;
}
function current(key) {
  const last = rows.has(key) ? rows.get(key).at(-1) : null;
  return last && last.body ? last : null;
}
function shown(key) {
  const lag = Number(set("LAG")) * 1000;
  if (!lag || !rows.has(key)) return current(key);
  const seen = rows.get(key).filter((one) => one.by === "seed" || one.at <= Date.now() - lag).at(-1);
  return seen && seen.body ? seen : null;
}
const below = (folder) => [...rows.keys()].filter((key) => key.startsWith(folder)).map(shown).filter(Boolean);

async function write(key, check, make, by) {
  const run = async () => {
    await sleep(Number(set("HOLD")));
    const was = current(key), no = set("IGNORE") ? null : check(was);
    if (no) return { no };
    await sleep(Number(set("GAP")));
    const state = commit(key, make(set("GAP") ? current(key) : was), by);
    return { no: set("LATE") && state ? check(state) : null, state, was };
  };
  const mine = set("GAP") ? run() : turn.then(run);
  if (!set("GAP")) turn = mine.catch(() => {});
  const done = await mine;
  if (set("TARRY") && !tarried && done.state) {
    tarried = true;
    await sleep(Number(set("TARRY")));
  }
  return done;
}
for (const [key, body] of Object.entries(JSON.parse(set("SEED") || "{}"))) {
  const times = body.$writes || 1;
  delete body.$writes;
  for (let at = 0; at < times; at++) commit(key, body, "seed");
  rows.get(key).forEach((one) => (one.at -= 86400000));
}
const iso = (ms) => new Date(ms).toISOString();
const refusal = (status, body, fields) => ({ status, body, fields });

// Elasticsearch: if_seq_no and if_primary_term in the query, 409 version_conflict_engine_exception.
const elastic = {
  conflict(id, text) {
    const cause = { type: "version_conflict_engine_exception", reason: `[${id}]: ${text}`, index_uuid: "Zr1yVb0kQ2u8", shard: "0", index: "parts" };
    return refusal(409, { error: { root_cause: [cause], ...cause }, status: 409 });
  },
  check(id, query, op) {
    return (now) => {
      const wanted = query.get("if_seq_no");
      if (op === "create" && now) return elastic.conflict(id, `version conflict, document already exists (current version [${now.n}])`);
      if (wanted === null) return null;
      const have = now ? `current document has seqNo [${now.seq}] and primary term [2]` : "but no document was found";
      if (now && Number(wanted) === now.seq && query.get("if_primary_term") === "2") return null;
      return elastic.conflict(id, `version conflict, required seqNo [${wanted}], primary term [${query.get("if_primary_term")}]. ${have}`);
    };
  },
  told: (index, id, state, result) => ({ _index: index, _id: id, _version: state.n, result, _shards: { total: 2, successful: 2, failed: 0 }, _seq_no: state.seq, _primary_term: 2 }),
  async bulk(text, by) {
    const lines = text.trim().split("\n").map((line) => JSON.parse(line)), items = [];
    for (let at = 0; at < lines.length; at += 2) {
      const [op, meta] = Object.entries(lines[at])[0], query = new URLSearchParams();
      if ("if_seq_no" in meta) query.set("if_seq_no", meta.if_seq_no), query.set("if_primary_term", meta.if_primary_term);
      const done = await write(`${meta._index}/${meta._id}`, elastic.check(meta._id, query, op), () => lines[at + 1], by);
      items.push({ [op]: done.no ? { _index: meta._index, _id: meta._id, status: 409, error: done.no.body.error } : { ...elastic.told(meta._index, meta._id, done.state, "updated"), status: 200 } });
    }
    return refusal(200, { took: 7, errors: items.some((one) => Object.values(one)[0].error), items });
  },
  async serve(q) {
    const [, index, kind, id] = q.path.split("/"), key = `${index}/${id}`;
    if (index === "_bulk") return elastic.bulk(q.text, q.by);
    if (kind === "_search") {
      const hits = below(`${index}/`).map((one) => ({ _index: index, _id: one.key.split("/")[1], _score: 1, ...(q.query.has("seq_no_primary_term") ? { _seq_no: one.seq, _primary_term: 2 } : {}), _source: one.body }));
      return refusal(200, { took: 3, timed_out: false, hits: { total: { value: hits.length, relation: "eq" }, hits } });
    }
    if (!id) return refusal(200, { name: "es-data-1", cluster_name: "parts", version: { number: "8.15.3" }, status: "green" });
    if (q.method === "GET") {
      const one = current(key);
      return one ? refusal(200, { _index: index, _id: id, _version: one.n, _seq_no: one.seq, _primary_term: 2, found: true, _source: one.body }) : refusal(404, { _index: index, _id: id, found: false });
    }
    const make = (now) => (kind === "_update" ? { ...now.body, ...q.json.doc } : q.json);
    const done = await write(key, elastic.check(id, q.query, kind === "_create" ? "create" : q.query.get("op_type")), make, q.by);
    return done.no || refusal(done.was ? 200 : 201, elastic.told(index, id, done.state, done.was ? "updated" : "created"));
  },
  fields: () => ({ "X-elastic-product": "Elasticsearch", "content-type": "application/vnd.elasticsearch+json;compatible-with=8" }),
};

// Kubernetes: metadata.resourceVersion in the body, 409 Conflict, 410 Expired, 422 for a failed JSON Patch test.
const kube = {
  status(code, reason, message, name, kind) {
    return refusal(code, { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, details: { name, kind }, code });
  },
  object: (state) => ({ ...state.body, metadata: { ...state.body.metadata, uid: md5(state.key).slice(0, 12), resourceVersion: String(state.seq), generation: state.n } }),
  patch(steps, object) {
    for (const step of steps) {
      const names = step.path.split("/").slice(1).map((one) => one.replaceAll("~1", "/")), last = names.pop();
      const parent = names.reduce((at, name) => at[name], object);
      if (step.op === "test" && JSON.stringify(parent[last]) !== JSON.stringify(step.value)) return step;
      if (step.op === "replace" || step.op === "add") parent[last] = step.value;
      if (step.op === "remove") delete parent[last];
    }
    return null;
  },
  list(q, folder) {
    const asked = Number(q.query.get("resourceVersion") || 0);
    if (asked && asked < Number(set("OLDEST"))) return kube.status(410, "Expired", `too old resource version: ${asked} (${serial})`);
    if (q.query.get("continue")) return kube.status(410, "Expired", "The provided continue parameter is too old to display a consistent list result.");
    const items = below(folder).map(kube.object);
    return refusal(200, { kind: "List", apiVersion: "v1", metadata: { resourceVersion: String(serial) }, items: q.query.get("watch") ? [] : items });
  },
  async serve(q) {
    const parts = q.path.match(/\/namespaces\/([^/]+)\/([^/]+)(?:\/([^/]+))?/);
    if (!parts) return refusal(200, { major: "1", minor: "30", gitVersion: "v1.30.4", paths: ["/api/v1", "/apis/apps/v1"] });
    const [, space, kind] = parts, name = parts[3] || (q.method === "POST" ? q.json.metadata.name : ""), key = `${space}/${kind}/${name}`;
    if (!name) return kube.list(q, `${space}/${kind}/`);
    if (q.method === "GET") {
      const one = shown(key);
      return one ? refusal(200, kube.object(one)) : kube.status(404, "NotFound", `${kind} "${name}" not found`, name, kind);
    }
    const sent = q.method === "DELETE" ? {} : q.json, steps = Array.isArray(sent);
    const check = (now) => {
      if (q.method === "POST") return now ? kube.status(409, "AlreadyExists", `${kind} "${name}" already exists`, name, kind) : null;
      if (!now) return kube.status(404, "NotFound", `${kind} "${name}" not found`, name, kind);
      const wanted = steps ? undefined : (sent.metadata || sent.preconditions || {}).resourceVersion;
      if (steps) {
        const failed = kube.patch(sent, JSON.parse(JSON.stringify(kube.object(now))));
        return failed ? kube.status(422, "Invalid", `the server rejected our request due to an error in our request: testing value ${failed.path} failed`, name, kind) : null;
      }
      if (set("NEED") && q.method === "PUT" && !wanted) return kube.status(422, "Invalid", `${kind} "${name}" is invalid: metadata.resourceVersion: Invalid value: 0x0: must be specified for an update`, name, kind);
      if (wanted && wanted !== String(now.seq)) return kube.status(409, "Conflict", `Operation cannot be fulfilled on ${kind} "${name}": the object has been modified; please apply your changes to the latest version and try again`, name, kind);
      return null;
    };
    const make = (now) => {
      if (q.method === "DELETE") return null;
      const next = JSON.parse(JSON.stringify(q.method === "PATCH" ? kube.object(now) : sent));
      if (steps) kube.patch(sent, next);
      else if (q.method === "PATCH") for (const part of ["data", "spec", "status"]) if (sent[part]) next[part] = { ...next[part], ...sent[part] };
      for (const one of ["uid", "resourceVersion", "generation"]) delete next.metadata[one];
      const field = { manager: q.query.get("fieldManager") || q.by.split("/")[0], operation: "Update", time: iso(Date.now()) };
      return { ...next, metadata: { ...next.metadata, managedFields: [field] } };
    };
    const done = await write(key, check, make, q.by);
    return done.no || (done.state ? refusal(done.was ? 200 : 201, kube.object(done.state)) : refusal(200, { kind: "Status", status: "Success" }));
  },
  fields: () => ({ "Audit-Id": crypto.randomUUID(), "Cache-Control": "no-cache, private", "X-Kubernetes-Pf-Flowschema-Uid": "0a1c7c1e-54a4-4f27" }),
};

// CouchDB: _rev in the body, the query or If-Match; 409 conflict; 412 file_exists for a database.
const couch = {
  rev: (state) => `${state.n}-${md5(JSON.stringify(state.body))}`,
  doc: (state) => ({ _id: state.key.split("/")[1], _rev: couch.rev(state), ...state.body }),
  conflict: () => refusal(409, { error: "conflict", reason: "Document update conflict." }),
  check: (wanted) => (now) => (now ? (wanted === couch.rev(now) ? null : couch.conflict()) : wanted ? couch.conflict() : null),
  async bulk(q, db) {
    const told = [];
    for (const { _id, _rev, ...body } of q.json.docs) {
      const check = q.json.new_edits === false ? () => null : couch.check(_rev);
      const done = await write(`${db}/${_id}`, check, () => body, q.by);
      told.push(done.no ? { id: _id, ...done.no.body } : { ok: true, id: _id, rev: couch.rev(done.state) });
    }
    return refusal(201, told);
  },
  async serve(q) {
    const [, db, id] = q.path.split("/"), key = `${db}/${id}`;
    if (!db) return refusal(200, { couchdb: "Welcome", version: "3.3.3", vendor: { name: "The Apache Software Foundation" } });
    if (db === "_session") return refusal(200, { ok: true, name: "agronomist", roles: [] }, { "Set-Cookie": "AuthSession=YWdyb25vbWlzdDo2; Path=/; HttpOnly" });
    if (!id) return q.method === "PUT" ? (below(`${db}/`).length ? refusal(412, { error: "file_exists", reason: "The database could not be created, the file already exists." }) : refusal(201, { ok: true })) : refusal(200, { db_name: db, doc_count: below(`${db}/`).length, update_seq: `${serial}-g1AAAACReJz` });
    if (id === "_bulk_docs") return couch.bulk(q, db);
    if (id.startsWith("_")) return refusal(200, { total_rows: below(`${db}/`).length, rows: below(`${db}/`).map((one) => ({ id: one.key.split("/")[1], value: { rev: couch.rev(one) } })), last_seq: serial });
    const one = shown(key);
    if (q.method === "GET" || q.method === "HEAD") {
      if (!one) return refusal(404, { error: "not_found", reason: rows.has(key) ? "deleted" : "missing" });
      const tag = `"${couch.rev(one)}"`;
      return q.headers["if-none-match"] === tag ? refusal(304, "", { ETag: tag }) : refusal(200, couch.doc(one), { ETag: tag });
    }
    const { _id, _rev, ...body } = q.method === "PUT" ? q.json : {};
    const wanted = _rev || q.query.get("rev") || (q.headers["if-match"] || "").replaceAll('"', "");
    if (wanted && !/^\d+-[0-9a-f]+$/.test(wanted)) return refusal(400, { error: "bad_request", reason: "Invalid rev format" });
    const done = await write(key, couch.check(wanted), () => (q.method === "DELETE" ? null : body), q.by);
    return done.no || refusal(q.method === "DELETE" ? 200 : 201, { ok: true, id, rev: done.state ? couch.rev(done.state) : "deleted" }, done.state ? { ETag: `"${couch.rev(done.state)}"` } : {});
  },
  fields: () => ({ "X-Couch-Request-ID": md5(String(Math.random())).slice(0, 10), Server: "CouchDB/3.3.3 (Erlang OTP/25)", "Cache-Control": "must-revalidate" }),
};

// Consul's key store: cas in the query, 200 with true or false; sessions hold keys.
const consul = {
  async serve(q) {
    const [, , kind, ...rest] = q.path.split("/"), key = rest.join("/");
    if (kind === "session") return refusal(200, { ID: `${md5(q.by + key).slice(0, 8)}-5c1e-4d0a` });
    if (kind === "catalog") return refusal(200, { consul: [], pricing: ["v4"], ledger: ["v2"] });
    if (kind !== "kv") return refusal(200, "127.0.0.1:8300");
    const entry = (one) => ({ LockIndex: one.body.lock ? 1 : 0, Key: one.key, Flags: 0, Value: Buffer.from(one.body.text).toString("base64"), CreateIndex: rows.get(one.key)[0].seq, ModifyIndex: one.seq, ...(one.body.lock ? { Session: one.body.lock } : {}) });
    if (q.method === "GET") {
      const found = q.query.has("recurse") ? below(key) : [shown(key)].filter(Boolean);
      return found.length ? refusal(200, found.map(entry), { "X-Consul-Index": String(serial) }) : refusal(404, "", { "X-Consul-Index": String(serial) });
    }
    const lock = q.query.get("acquire"), release = q.query.get("release"), cas = q.query.get("cas");
    const check = (now) => {
      if (lock) return now && now.body.lock && now.body.lock !== lock ? refusal(200, "false") : null;
      return cas === null || Number(cas) === (now ? now.seq : 0) ? null : refusal(200, "false");
    };
    const done = await write(key, check, (now) => (q.method === "DELETE" ? null : { text: q.text, lock: release ? "" : lock || (now && now.body.lock) || "" }), q.by);
    return done.no || refusal(200, "true");
  },
  fields: () => ({ "X-Consul-Default-Acl-Policy": "allow", "X-Consul-Effective-Consistency": "leader", "X-Consul-Knownleader": "true", "X-Consul-Lastcontact": "0" }),
};

// Vault's versioned key store: options.cas in the body, 400 with a list of errors.
const vault = {
  async serve(q) {
    const [, , mount, kind, ...rest] = q.path.split("/"), key = rest.join("/");
    const wrap = (data) => refusal(200, { request_id: crypto.randomUUID(), lease_id: "", renewable: false, lease_duration: 0, data });
    if (mount === "auth") return refusal(200, { auth: { client_token: "hvs.EXAMPLE", lease_duration: 2764800, policies: ["default", "apps"] } });
    if (mount === "sys") return refusal(200, { initialized: true, sealed: false, version: "1.17.2" });
    const now = shown(key), meta = (one) => ({ created_time: iso(one.at), custom_metadata: null, deletion_time: "", destroyed: false, version: one.n });
    if (q.method === "GET") {
      if (!now) return refusal(404, { errors: [] });
      return wrap(kind === "metadata" ? { cas_required: Boolean(set("NEED")), current_version: now.n, updated_time: iso(now.at), max_versions: 0 } : { data: now.body, metadata: meta(now) });
    }
    const cas = (q.json.options || {}).cas;
    const check = (one) => {
      if (cas === undefined) return set("NEED") ? refusal(400, { errors: ["check-and-set parameter required for this call"] }) : null;
      return cas === (one ? one.n : 0) ? null : refusal(400, { errors: ["check-and-set parameter did not match the current version"] });
    };
    const done = await write(key, check, () => q.json.data, q.by);
    return done.no || wrap(meta(done.state));
  },
  fields: () => ({ "Cache-Control": "no-store", "Strict-Transport-Security": "max-age=31536000; includeSubDomains" }),
};

module.exports = { set, md5, iso, refusal, current, shown, below, write, commit, dialects: { elastic, kube, couch, consul, vault } };
if (require.main === module) {
  const chosen = { ...module.exports.dialects, ...require("./kim_market.js") }[set("DIALECT")];
  http.createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part)).on("end", async () => {
      const url = new URL(request.url, "http://x"), text = Buffer.concat(parts).toString();
      const by = request.headers["x-actor"] || request.headers["user-agent"] || "?";
      const q = { method: request.method, path: decodeURIComponent(url.pathname), query: url.searchParams, headers: request.headers, text, by };
      if (q.path === "/-/up") return response.end("up");
      try { q.json = text ? JSON.parse(text) : {}; } catch { q.json = {}; }
      const told = await chosen.serve(q), plain = typeof told.body === "string" || Buffer.isBuffer(told.body);
      const fields = { "content-type": "application/json", ...chosen.fields(q), ...told.fields };
      response.writeHead(told.status, fields);
      response.end(q.method === "HEAD" ? "" : plain ? told.body : JSON.stringify(told.body));
    });
  }).listen(Number(process.argv[2]), "127.0.0.1");
}
