// Things by path on Express, Fastify or Koa: `node ada_counter.js PORT FRAMEWORK`; SEED holds content by path.
// STYLE: strict (tag of revision), own (Express makes its weak tag, writes compare strongly),
// render (the moment of rendering is part of the tag).
const crypto = require('node:crypto');
const [, , port, framework] = process.argv;
const style = process.env.STYLE || 'strict';
const delay = Number(process.env.DELAY || 0); // milliseconds until Express answers a write that is decided
const things = new Map(Object.entries(JSON.parse(process.env.SEED)).map(([path, data]) => [path, { data, rev: 1 }]));
const text = (data) => JSON.stringify(data);
let renders = 0;

function tagOf(thing) {
  if (style === 'own') return require('etag')(text(thing.data), { weak: true });
  if (style === 'render') {
    renders += 1;
    return `"${crypto.createHash('sha1').update(`${text(thing.data)}${Date.now()}${renders}`).digest('base64url')}"`;
  }
  return `"r${thing.rev}"`;
}

function matches(value, tag) {
  const sent = value.split(',').map((one) => one.trim());
  return value.trim() === '*' || (!tag.startsWith('W/') && sent.includes(tag));
}

const problem = (status, title) => ({ status, type: 'application/problem+json', body: text({ title, status }) });

// Returns { status, etag, type, body } for a request.
function answer(method, path, head, content) {
  if (path === '/ready') return { status: 200, body: text({ ready: true }) };
  const thing = things.get(path);
  if (method === 'GET' || method === 'HEAD') {
    if (!thing) {
      const below = [...things.keys()].filter((one) => one.startsWith(`${path}/`));
      return below.length ? { status: 200, body: text(below) } : problem(404, 'Not Found');
    }
    const etag = tagOf(thing);
    const known = head['if-none-match'];
    // Express itself answers 304 where the tag is its own
    if (style !== 'own' && known && known.split(',').some((one) => one.trim().replace(/^W\//, '') === etag.replace(/^W\//, ''))) {
      return { status: 304, etag };
    }
    return { status: 200, etag, body: text(thing.data) };
  }
  if (head['if-none-match'] === '*' && thing) return problem(412, 'Already there');
  if (head['if-match'] !== undefined && !(thing && matches(head['if-match'], tagOf(thing)))) {
    return problem(412, 'Precondition Failed');
  }
  if (method === 'DELETE') return things.delete(path) ? { status: 204 } : problem(404, 'Not Found');
  const sent = JSON.parse(content || '{}');
  const made = { data: method === 'PATCH' && thing ? { ...thing.data, ...sent } : sent, rev: thing ? thing.rev + 1 : 1 };
  things.set(path, made);
  return { status: thing ? 200 : 201, etag: tagOf(made), body: text(made.data) };
}

function onExpress() {
  const app = require('express')();
  app.set('etag', style === 'own' ? 'weak' : false);
  app.use(require('express').text({ type: () => true }));
  app.use((req, res) => {
    const got = answer(req.method, req.path, req.headers, typeof req.body === 'string' ? req.body : '');
    res.status(got.status);
    if (got.etag && style !== 'own') res.set('ETag', got.etag);
    if (got.body === undefined) return res.end();
    const send = () => res.type(got.type || 'application/json').send(got.body);
    return delay && req.method !== 'GET' ? setTimeout(send, delay) : send();
  });
  app.listen(Number(port), '127.0.0.1');
}

function onFastify() {
  const app = require('fastify')();
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_req, body, done) => done(null, body));
  app.all('/*', (req, res) => {
    const got = answer(req.method, req.url.split('?')[0], req.headers, req.body);
    res.code(got.status);
    if (got.etag) res.header('ETag', got.etag);
    if (got.body === undefined) return res.send();
    return res.type(got.type || 'application/json; charset=utf-8').send(got.body);
  });
  app.listen({ port: Number(port), host: '127.0.0.1' });
}

function onKoa() {
  const Koa = require('koa');
  const app = new Koa();
  app.use(async (ctx) => {
    const parts = [];
    for await (const part of ctx.req) parts.push(part);
    const got = answer(ctx.method, ctx.path, ctx.headers, Buffer.concat(parts).toString());
    ctx.status = got.status;
    if (got.etag) ctx.set('ETag', got.etag);
    if (got.body === undefined) { ctx.body = null; ctx.status = got.status; return; }
    ctx.type = got.type || 'json';
    ctx.body = got.body;
  });
  app.listen(Number(port), '127.0.0.1');
}

({ express: onExpress, fastify: onFastify, koa: onKoa })[framework]();
