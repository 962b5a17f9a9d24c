// Duty rosters on Node's http: shifts with merge patches, a feed of changes, imports.
// Run with a port. SEED: JSON object by path. FLAGS (comma-separated): weak, deafpatch (PATCH reads no condition),
// answerrev (writes answer with another kind of tag than reads), quiet409 (a conflict is 200 with ok false),
// fault500 (a conflict is 500), unguarded (conditional requests are refused with 501), head (HEAD has a tag of its own).
// PAUSE: milliseconds a write waits for its turn.
const http = require('node:http');
const crypto = require('node:crypto');
const flags = new Set((process.env.FLAGS || '').split(','));
const pause = Number(process.env.PAUSE || 0);
const table = new Map();
const feed = [];
let sequence = 118;
for (const [path, doc] of Object.entries(JSON.parse(process.env.SEED || '{}'))) {
  table.set(path, { doc, n: 4, who: 'planner-import', when: Date.now() - 7200e3 });
}
const tagOf = (path, row) => {
  const text = `"${path.split('/').pop()}/${row.n}-${crypto.createHash('md5').update(JSON.stringify(row.doc)).digest('base64url').slice(0, 8)}"`;
  return flags.has('weak') ? `W/${text}` : text;
};
const listTag = (prefix) => {
  const sum = [...table].filter(([p]) => p.startsWith(prefix)).map(([p, r]) => p + r.n).join();
  return `"week-${crypto.createHash('sha1').update(sum).digest('hex').slice(0, 12)}"`;
};
const view = (path, row) => ({ ...row.doc, _links: { self: path }, _audit: { by: row.who, on: new Date(row.when).toISOString(), n: row.n } });
function send(res, status, body, extra = {}) {
  const text = body === null ? '' : JSON.stringify(body);
  const head = { 'Content-Type': 'application/json; charset=utf-8', ...extra };
  if (status !== 304 && status !== 204) head['Content-Length'] = Buffer.byteLength(text);
  res.writeHead(status, head);
  res.end(text);
}
const problem = (res, status, title, more = {}) => send(res, status, { error: title, ...more }, { 'X-Request-Id': crypto.randomUUID() });
function conflict(res, path, row, wanted) {
  if (flags.has('quiet409')) return send(res, 200, { ok: false, reason: 'stale', message: `revision of ${path} is ${row.n} by ${row.who}; nothing was stored` });
  if (flags.has('fault500')) return problem(res, 500, 'StaleObjectStateException', { detail: `Row was updated or deleted by another transaction: [Shift#${path.split('/').pop()}]` });
  return problem(res, 412, 'precondition failed', { 'if-match': wanted, path });
}
function write(req, res, path, text) {
  const row = table.get(path);
  const wanted = req.headers['if-match'];
  if (flags.has('unguarded') && (wanted || req.headers['if-none-match'])) {
    return problem(res, 501, 'conditional writes are not implemented by this store', { header: wanted ? 'If-Match' : 'If-None-Match' });
  }
  const deaf = flags.has('deafpatch') && req.method === 'PATCH';
  const none = req.headers['if-none-match'];
  if (none && row && (none === '*' || none.includes(tagOf(path, row).replace('W/', '')))) {
    return problem(res, 412, 'precondition failed', { 'if-none-match': none, path });
  }
  if (wanted && !deaf) {
    if (!row) return problem(res, 412, 'precondition failed', { path, hint: 'no such shift' });
    const listed = wanted.split(',').map((one) => one.trim());
    if (!listed.includes('*') && (tagOf(path, row).startsWith('W/') || !listed.includes(tagOf(path, row)))) return conflict(res, path, row, wanted);
  }
  const who = req.headers['x-user'] || 'unknown';
  if (req.method === 'DELETE') {
    if (!row) return problem(res, 404, 'no such shift');
    table.delete(path);
    return send(res, 204, null);
  }
  const given = JSON.parse(text);
  delete given._links;
  delete given._audit;
  const doc = req.method === 'PATCH' && row ? { ...row.doc, ...given } : given;
  const made = { doc, n: row ? row.n + 1 : 1, who, when: Date.now() };
  table.set(path, made);
  feed.push({ seq: ++sequence, path, by: who });
  const tag = flags.has('answerrev') ? `"txn-${sequence}"` : tagOf(path, made);
  return send(res, row ? 200 : 201, flags.has('quiet409') ? { ok: true, n: made.n } : view(path, made), { ETag: tag });
}
http.createServer((req, res) => {
  const url = new URL(req.url, 'http://roster');
  const path = url.pathname;
  const parts = [];
  req.on('data', (one) => parts.push(one));
  req.on('end', () => {
    if (path === '/-/up') return send(res, 200, { up: 1 });
    if (path === '/changes') {
      const since = Number(url.searchParams.get('since') || sequence);
      if (since < sequence - feed.length - 8) return problem(res, 410, 'cursor_expired', { detail: `cursor ${since} is older than the oldest change kept; run a full synchronisation`, oldest: sequence - feed.length });
      return send(res, 200, { changes: feed.filter((one) => one.seq > since), cursor: sequence });
    }
    if (!['GET', 'HEAD'].includes(req.method)) return setTimeout(() => write(req, res, path, Buffer.concat(parts).toString()), pause);
    if (path.endsWith('/shifts')) {
      const items = [...table].filter(([p]) => p.startsWith(`${path}/`)).map(([p, r]) => view(p, r));
      const tag = listTag(path);
      if (req.headers['if-none-match'] === tag) return send(res, 304, null, { ETag: tag });
      return send(res, 200, { shifts: items, cursor: sequence }, { ETag: tag });
    }
    const row = table.get(path);
    if (!row) return problem(res, 404, 'no such shift', { path });
    let tag = tagOf(path, row);
    if (req.method === 'HEAD' && flags.has('head')) tag = `"${Math.floor(row.when / 1000).toString(16)}-${Buffer.byteLength(JSON.stringify(row.doc)).toString(16)}"`;
    if ((req.headers['if-none-match'] || '').replace('W/', '') === tag.replace('W/', '')) return send(res, 304, null, { ETag: tag });
    return send(res, 200, req.method === 'HEAD' ? null : view(path, row), { ETag: tag });
  });
}).listen(Number(process.argv[2]), '127.0.0.1');
