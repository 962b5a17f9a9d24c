// Rows with revisions on Fastify; HEW holds what there is and how it behaves.
const cfg = JSON.parse(process.env.HEW);
const app = require('fastify')({ keepAliveTimeout: 30000, ignoreTrailingSlash: true });
const rows = new Map();
const journal = [];
let next = cfg.first || 7;
for (const [path, data] of Object.entries(cfg.rows)) { rows.set(path, { data, rev: next, by: 'import' }); next += 2; }
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const tag = (row) => `"${(cfg.tag || '%').replace('%', row.rev)}"`;
const who = (req) => req.headers['x-user'] || (req.headers['user-agent'] || '?').split('/')[0];
function shown(row) {
  const out = { ...row.data };
  if (cfg.field) out[cfg.field] = row.rev;
  if (cfg.by) out[cfg.by] = row.by;
  return out;
}
function mark(reply, row) { if (!cfg.field) reply.header('etag', tag(row)); return reply; }
function keep(path, data, by) {
  const row = rows.get(path) || { rev: 0 };
  Object.assign(row, { data, rev: row.rev + 1, by });
  rows.set(path, row);
  journal.unshift({ ts: new Date().toISOString(), by, doc: path.split('/').pop(), rev: row.rev, set: data });
  return row;
}
function settle(path) {
  const { after, set, by } = cfg.settle;
  setTimeout(() => keep(path, { ...rows.get(path).data, ...set }, by), after);
}
// What a write says it rests on: undefined when it says nothing.
function base(req) {
  if (!cfg.field) return req.headers['if-match'];
  return req.body ? req.body[cfg.field] : undefined;
}
function holds(sent, row) {
  if (!cfg.field) {
    if (cfg.lax && !/^(\*|"[^"]*")$/.test(sent)) return true; // what is no tag counts as none
    return sent === '*' || sent === tag(row);
  }
  if (sent === null && cfg.force) return true;
  return Number(sent) === row.rev;
}
const busy = new Set();
async function write(req, reply, path, row) {
  const sent = base(req);
  if (cfg.none && req.headers['if-none-match'] === tag(row)) return reply.code(412).send(cfg.words.stale);
  if (sent === undefined && cfg.need) return reply.code(cfg.need).send(cfg.words.need);
  const clash = sent !== undefined && !holds(sent, row);
  if (clash || (cfg.slow && busy.has(path))) return reply.code(cfg.stale || 412).send(cfg.words.stale);
  if (cfg.slow) { busy.add(path); await wait(cfg.slow); busy.delete(path); }
  const data = { ...(req.method === 'PATCH' ? row.data : {}), ...req.body };
  delete data[cfg.field]; delete data[cfg.by];
  keep(path, data, who(req));
  if (cfg.settle && path.startsWith(cfg.settle.on)) settle(path);
  mark(reply, row);
  return cfg.quiet ? reply.code(204).send() : reply.code(200).send(shown(row));
}
app.all('/*', async (req, reply) => {
  const path = req.url.split('?')[0];
  if (path === cfg.journal) return journal.slice(0, 20);
  if (cfg.fixed && path in cfg.fixed) return cfg.fixed[path];
  const row = rows.get(path);
  if (req.method === 'POST' && !row) {
    const data = { ...req.body };
    return mark(reply, keep(`${path}/${next += 3}`, data, who(req))).code(201).send({ id: next });
  }
  if (!row) {
    const inside = [...rows].filter(([one]) => one.startsWith(`${path}/`));
    if (!inside.length) return reply.code(404).send({ e: 'nf' });
    return inside.map(([one, each]) => ({ id: one.split('/').pop(), ...shown(each) }));
  }
  if (req.method === 'GET') {
    if (!cfg.field && req.headers['if-none-match'] === tag(row)) return mark(reply, row).code(304).send();
    return mark(reply, row).send(shown(row));
  }
  if (req.method === 'DELETE') { rows.delete(path); return reply.code(204).send(); }
  return write(req, reply, path, row);
});
app.listen({ port: Number(process.argv[2]), host: '127.0.0.1' });
