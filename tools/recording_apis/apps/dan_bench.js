// Records as JSON on Express, Koa or Fastify: tags of revisions, or those that Express makes itself.
// Environment: PORT, FRAMEWORK, SEED (JSON by path), TAGS (rev, own), NEED (a status for writes without a condition).
const port = Number(process.env.PORT);
const need = Number(process.env.NEED || 0);
const own = process.env.TAGS === 'own';
const rows = new Map(Object.entries(JSON.parse(process.env.SEED || '{}')).map(([path, data]) => [path, { data, rev: 1 }]));
const beside = JSON.parse(process.env.BESIDE || '{}');
const tagOf = (row) => `"v${row.rev}-${(row.rev * 40503 + JSON.stringify(row.data).length).toString(36)}"`;
const problem = (status, code, message) => ({ status, body: { ok: false, code, message }, headers: {} });
const listed = (text) => (text || '').split(',').map((one) => one.trim());

function refusal(method, headers, row, tag) {
  const match = headers['if-match'];
  const none = headers['if-none-match'];
  if (need && row && !match && !none) return problem(need, 'condition_needed', 'Send If-Match with the tag of your last read.');
  if (match && (!row || (match !== '*' && (tag.startsWith('W/') || !listed(match).includes(tag))))) {
    return problem(412, 'version_changed', 'The tag that you sent is not the one of the stored record.');
  }
  if (none && row && (none === '*' || listed(none).includes(tag))) return problem(412, 'already_there', 'A record of this name exists.');
  return null;
}

function answer(method, path, headers, body, express) {
  if (path in beside) return { status: 200, body: beside[path], headers: {} };
  const row = rows.get(path);
  const tag = row ? (own ? express(row.data) : tagOf(row)) : '';
  if (method === 'GET' || method === 'HEAD') {
    if (!row) {
      const below = [...rows.keys()].filter((one) => one.startsWith(`${path}/`));
      return below.length ? { status: 200, body: { total: below.length, rows: below }, headers: {} }
        : problem(404, 'unknown', 'No such record.');
    }
    if (listed(headers['if-none-match']).includes(tag)) return { status: 304, body: null, headers: { ETag: tag } };
    return { status: 200, body: row.data, headers: { ETag: tag } };
  }
  const refused = refusal(method, headers, row, tag);
  if (refused) return refused;
  if (method === 'DELETE') {
    return rows.delete(path) ? { status: 204, body: null, headers: {} } : problem(404, 'unknown', 'No such record.');
  }
  const data = method === 'PATCH' ? { ...row.data, ...body } : body;
  const next = { data, rev: row ? row.rev + 1 : 1 };
  rows.set(path, next);
  return { status: row ? 200 : 201, body: data, headers: { ETag: own ? express(data) : tagOf(next) } };
}

const frameworks = {
  express() {
    const app = require('express')();
    const tagger = (data) => app.get('etag fn')(Buffer.from(JSON.stringify(data)), 'utf8');
    if (!own) app.set('etag', false);
    app.use(require('express').json({ type: () => true }));
    app.use((req, res) => {
      const got = answer(req.method, req.path, req.headers, req.body, tagger);
      res.status(got.status).set(got.headers);
      if (got.body === null) res.end(); else res.json(got.body);
    });
    app.listen(port, '127.0.0.1');
  },
  koa() {
    const Koa = require('koa');
    const app = new Koa();
    app.use(async (ctx) => {
      const parts = [];
      for await (const part of ctx.req) parts.push(part);
      const body = parts.length ? JSON.parse(Buffer.concat(parts).toString()) : undefined;
      const got = answer(ctx.method, ctx.path, ctx.headers, body, () => '');
      ctx.status = got.status;
      ctx.set(got.headers);
      ctx.body = got.body;
      ctx.status = got.status;
    });
    app.listen(port, '127.0.0.1');
  },
  fastify() {
    const app = require('fastify')();
    app.addContentTypeParser('*', { parseAs: 'string' }, (_, text, done) => done(null, text ? JSON.parse(text) : undefined));
    app.all('/*', async (req, reply) => {
      const got = answer(req.method, req.url.split('?')[0], req.headers, req.body, () => '');
      reply.code(got.status).headers(got.headers);
      return got.body === null ? reply.send() : got.body;
    });
    app.listen({ port, host: '127.0.0.1' });
  },
};
frameworks[process.env.FRAMEWORK || 'express']();
