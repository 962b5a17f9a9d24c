// A courier's dispatch on Node's http: jobs with a number of their own in the body (`rev`), commands by POST.
// Environment: SEED jobs as JSON by id; SOFT=1 tells refusals with status 200, as older versions of it did.
"use strict";
const http = require("http");
const jobs = new Map(Object.entries(JSON.parse(process.env.SEED || "{}")).map(([id, job]) => [id, { rev: 4, ...job }]));
const keys = new Map();

function send(response, status, body, fields = {}) {
  response.writeHead(status, { "Content-Type": "application/vnd.dispatch+json", "X-Dispatch": "2.9", ...fields });
  response.end(JSON.stringify(body));
}

function command(request, response, id, verb, sent) {
  const job = jobs.get(id);
  if (!job) return send(response, 404, { ok: false, error: "NO_SUCH_JOB" });
  if (sent.rev !== job.rev) {
    const told = { ok: false, error: "REV_MISMATCH", have: job.rev, sent: sent.rev ?? null, by: job.by };
    return send(response, process.env.SOFT ? 200 : 409, told);
  }
  const { rev, ...fields } = sent;
  Object.assign(job, fields, { state: verb, rev: job.rev + 1, by: request.headers["x-dispatcher"] || "?" });
  send(response, 200, { ok: true, id, ...job });
}

function claim(request, response, name, sent) {
  const held = keys.get(name);
  if (request.headers["if-none-match"] === "*" && held && held.until > Date.now()) {
    return send(response, 412, { ok: false, error: "CLAIMED", holder: held.holder });
  }
  const named = request.headers["if-match"];
  if (named && named !== `"${held && held.holder}"`) return send(response, 412, { ok: false, error: "NOT_YOURS" });
  keys.set(name, { holder: sent.holder, until: Date.now() + sent.seconds * 1000 });
  send(response, held ? 200 : 201, { ok: true, name, ...keys.get(name) }, { ETag: `"${sent.holder}"` });
}

http.createServer((request, response) => {
  let text = "";
  request.on("data", (part) => (text += part)).on("end", () => {
    const url = new URL(request.url, "http://x"), sent = text ? JSON.parse(text) : {};
    const job = url.pathname.match(/^\/d1\/jobs\/([^:/]+)(?::(\w+))?$/), key = url.pathname.match(/^\/d1\/claims\/(.+)$/);
    if (url.pathname === "/-/ready") return send(response, 200, { ok: true });
    if (key && request.method === "PUT") return claim(request, response, key[1], sent);
    if (key && request.method === "GET") return send(response, keys.has(key[1]) ? 200 : 404, keys.get(key[1]) || { ok: false });
    if (url.pathname === "/d1/jobs") return send(response, 200, { ok: true, jobs: [...jobs].map(([id, one]) => ({ id, ...one })) });
    if (job && request.method === "POST") return command(request, response, job[1], job[2], sent);
    if (job && jobs.has(job[1])) return send(response, 200, { ok: true, id: job[1], ...jobs.get(job[1]) });
    send(response, 404, { ok: false, error: "NO_SUCH_ROUTE" });
  });
}).listen(Number(process.argv[2]), "127.0.0.1");
