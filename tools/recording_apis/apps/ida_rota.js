// A hospital's rota on Express. Shifts carry `lockVersion` in the body and the same number in the tag.
// Environment: SEED shifts as JSON by path; WARD=1 one tag for a ward; NEED=1 wants lockVersion or If-Match;
// LAX=1 takes what it cannot read of If-Match for absent; CALM=1 tells conflicts with status 200;
// GAP milliseconds between check and commit; CORS an origin; EXPOSE the fields that scripts may see;
// ALLOW the fields they may send; BARE=1 answers writes without a tag.
"use strict";
const express = require("express");
const crypto = require("node:crypto");
const own = process.env;
const app = express();
app.disable("x-powered-by");
app.set("etag", false);
app.use(express.json({ type: ["application/json", "application/json-patch+json", "application/merge-patch+json"] }));

const shifts = new Map();
for (const [path, shift] of Object.entries(JSON.parse(own.SEED || "{}"))) {
  shifts.set(path, { ...shift, lockVersion: shift.lockVersion ?? 12, changedBy: "planung" });
}
const wardOf = (path) => path.split("/")[0];
const total = (ward) => [...shifts].filter(([path]) => wardOf(path) === ward).reduce((sum, [, one]) => sum + one.lockVersion, 0);
const tag = (path) => own.WARD ? `"${wardOf(path)}@${total(wardOf(path))}"` : `"lv${shifts.get(path).lockVersion}"`;
const wait = (ms) => new Promise((done) => setTimeout(done, Number(ms || 0)));

app.use((request, response, next) => {
  response.set("Request-Id", crypto.randomUUID());
  if (own.CORS) {
    response.set({ "Access-Control-Allow-Origin": own.CORS, "Access-Control-Allow-Credentials": "true", Vary: "Origin" });
    if (own.EXPOSE) response.set("Access-Control-Expose-Headers", own.EXPOSE);
    if (request.method === "OPTIONS") {
      response.set({ "Access-Control-Allow-Methods": "GET,PUT,PATCH,POST,DELETE", "Access-Control-Allow-Headers": own.ALLOW || "content-type" });
      return response.status(204).end();
    }
  }
  next();
});

const conflict = (response, status, kind, more) =>
  response.status(status).json({ success: false, error: { kind, message: `dienst.${kind}`, ...more } });
const shown = (path) => ({ success: true, shift: { id: path, ...shifts.get(path) } });

function judge(request, path) {
  const named = request.get("If-Match"), none = request.get("If-None-Match"), sent = request.body?.lockVersion;
  const held = shifts.get(path);
  if (none === "*" && held) return [412, "vorhanden", {}];
  if (named !== undefined && named !== "*") {
    const read = named.match(/"[^"]*"/g) || [];
    if (!(own.LAX && !read.length) && !(held && read.includes(tag(path)) && !named.startsWith("W/"))) return [412, "veraltet", {}];
  }
  if (sent !== undefined && held && sent !== held.lockVersion) {
    return [own.CALM ? 200 : 409, "versionskonflikt", { expected: held.lockVersion, got: sent, changedBy: held.changedBy }];
  }
  if (own.NEED && held && named === undefined && sent === undefined && none === undefined) {
    return [own.NEED === "1" ? 428 : Number(own.NEED), "version_fehlt", { field: "lockVersion", hint: "lockVersion is required" }];
  }
  return null;
}

function commit(request, path, fields) {
  const before = shifts.get(path);
  shifts.set(path, { ...fields, lockVersion: (before?.lockVersion ?? 0) + 1, changedBy: request.get("X-Personal-Nr") || "kiosk" });
}

app.get(["/-/up", "/-/ready"], (_, response) => response.send("ok"));
app.post("/anmeldung", (request, response) => response.cookie("ROTASESS", crypto.randomBytes(9).toString("hex"), { httpOnly: true }).json({ success: true, user: request.body.user }));
app.get("/rota/:ward", (request, response) => {
  const rows = [...shifts].filter(([path]) => wardOf(path) === request.params.ward).map(([id, one]) => ({ id, ...one }));
  if (own.WARD && rows.length) response.set("ETag", tag(rows[0].id));
  response.json({ success: true, count: rows.length, shifts: rows });
});
app.put("/rota/staff", (request, response) => {
  const hits = [...shifts].filter(([path, one]) => wardOf(path) === "staff" && one.badge === request.query.badge);
  if (hits.length > 1) {
    return response.status(412).json({ success: false, error: { kind: "mehrdeutig", message: `criteria matched ${hits.length} resources`, matches: hits.map(([id]) => id) } });
  }
  const path = hits.length ? hits[0][0] : `staff/${crypto.randomUUID().slice(0, 8)}`;
  commit(request, path, request.body);
  response.status(hits.length ? 200 : 201).set("ETag", tag(path)).json(shown(path));
});
app.get("/rota/:ward/:day", (request, response) => {
  const path = `${request.params.ward}/${request.params.day}`;
  if (!shifts.has(path)) return conflict(response, 404, "unbekannt", {});
  response.set("ETag", tag(path));
  if ((request.get("If-None-Match") || "").includes(tag(path))) return response.status(304).end();
  response.json(shown(path));
});
app.put("/rota/:ward/:day", async (request, response) => {
  const path = `${request.params.ward}/${request.params.day}`, refused = judge(request, path), fresh = !shifts.has(path);
  if (refused) return conflict(response, ...refused);
  await wait(own.GAP);
  commit(request, path, request.body);
  if (!own.BARE) response.set("ETag", tag(path));
  response.status(fresh ? 201 : 200).json(shown(path));
});
app.patch("/rota/:ward/:day", (request, response) => {
  const path = `${request.params.ward}/${request.params.day}`, held = shifts.get(path);
  if (!held) return conflict(response, 404, "unbekannt", {});
  if (!Array.isArray(request.body)) {
    const refused = judge(request, path);
    if (refused) return conflict(response, ...refused);
    commit(request, path, { ...held, ...request.body });
    return response.set("ETag", tag(path)).json(shown(path));
  }
  const made = { ...held };
  for (const [index, { op, path: where, value }] of request.body.entries()) {
    const name = where.slice(1);
    if (op === "test" && JSON.stringify(made[name]) !== JSON.stringify(value)) {
      return conflict(response, 412, "test_fehlgeschlagen", { operation: index, pointer: where });
    }
    if (op !== "test") made[name] = value;
  }
  commit(request, path, made);
  response.set("ETag", tag(path)).json(shown(path));
});
app.delete("/rota/:ward/:day", (request, response) => {
  const path = `${request.params.ward}/${request.params.day}`;
  if (!shifts.has(path)) return conflict(response, request.get("If-Match") ? 412 : 404, "unbekannt", {});
  const refused = judge(request, path);
  if (refused) return conflict(response, ...refused);
  shifts.delete(path);
  response.status(204).end();
});
app.listen(Number(process.argv[2]), "127.0.0.1").keepAliveTimeout = 60000;
