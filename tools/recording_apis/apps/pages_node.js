// Pages of a content management system on Node's own http module, in memory; texts and their history.
// Environment: TAG (hash, weak, clock, nonce, put), STRIP (compare without quotes), SLOW_CHECK (ms between
// judging and storing), DEMAND, CORS, EXPOSE, ALLOW, CACHE, FINAL (status that refuses), SEED (JSON by path).
const http = require('node:http');
const crypto = require('node:crypto');
const env = process.env;
const pages = new Map();
for (const [path, text] of Object.entries(JSON.parse(env.SEED || '{}'))) {
  pages.set(path, { text, at: new Date(Date.now() - 9e6), serial: 1 });
}
const digest = (text) => crypto.createHash('sha1').update(text).digest('base64').replace(/[=+/]/g, '').slice(0, 20);
const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

function render(page) {
  if (env.TAG === 'nonce') {
    return `${page.text}\n<!-- rendered ${new Date().toISOString()} -->\n`;
  }
  return page.text;
}
function tagOf(page, sent) {
  if (env.TAG === 'none') return null;
  if (env.TAG === 'clock') return `"${process.hrtime.bigint().toString(36)}"`;
  if (env.TAG === 'weak') return `W/"${page.text.length.toString(16)}-${digest(page.text)}"`;
  return `"${digest(sent === undefined ? render(page) : sent)}"`;
}
function holds(wanted, page, tag) {
  if (wanted === '*') return Boolean(page);
  return Boolean(page) && Boolean(tag) && !tag.startsWith('W/') && wanted.split(/\s*,\s*/).includes(tag);
}
function fields(request) {
  const more = { Date: new Date().toUTCString() };
  if (env.CORS && request.headers.origin === env.CORS) {
    more['Access-Control-Allow-Origin'] = env.CORS;
    if (env.EXPOSE) more['Access-Control-Expose-Headers'] = env.EXPOSE;
  }
  return more;
}
function refuse(request, response, status, word) {
  response.writeHead(status, { ...fields(request), 'Content-Type': 'text/html; charset=utf-8' });
  response.end(`<html><head><title>${word}</title></head><body><h1>${word}</h1></body></html>`);
}
async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}
function show(request, response, page) {
  const text = render(page);
  const tag = tagOf(page, text);
  const head = { ...fields(request), 'Last-Modified': page.at.toUTCString(), 'Cache-Control': env.CACHE || 'no-cache' };
  if (tag) head.ETag = tag;
  const known = (request.headers['if-none-match'] || '').replace(/W\//g, '');
  if (tag && known && known.includes(tag.replace('W/', ''))) {
    response.writeHead(304, head);
    return response.end();
  }
  head['Content-Type'] = 'text/html; charset=utf-8';
  head['Content-Length'] = Buffer.byteLength(text);
  response.writeHead(200, head);
  return response.end(request.method === 'HEAD' ? undefined : text);
}
async function store(request, response, path) {
  const text = await bodyOf(request);
  const page = pages.get(path);
  const wanted = request.headers['if-match'];
  const absent = request.headers['if-none-match'];
  if (env.DEMAND && !wanted && !absent) return refuse(request, response, 428, 'Precondition Required');
  if (wanted && !holds(wanted, page, page && tagOf(page))) return refuse(request, response, 412, 'Page has been edited');
  if (absent === '*' && page) return refuse(request, response, 412, 'Page exists');
  if (env.SLOW_CHECK) await pause(Number(env.SLOW_CHECK));
  const made = { text, at: new Date(), serial: page ? page.serial + 1 : 1 };
  pages.set(path, made);
  const head = { ...fields(request), 'Content-Length': 0, 'X-Edition': String(made.serial) };
  const tag = tagOf(made);
  if (tag && env.TAG !== 'nonce') head.ETag = tag;
  response.writeHead(page ? 204 : 201, head);
  return response.end();
}
async function answer(request, response) {
  const [path] = request.url.split('?');
  if (path === '/-/ready') return response.end('ready');
  if (request.method === 'OPTIONS') {
    const head = { ...fields(request), 'Access-Control-Allow-Methods': 'GET, PUT, DELETE' };
    if (env.ALLOW) head['Access-Control-Allow-Headers'] = env.ALLOW;
    response.writeHead(204, head);
    return response.end();
  }
  if (request.method === 'PUT') return store(request, response, path);
  const page = pages.get(path);
  if (!page) return refuse(request, response, 404, 'No such page');
  if (request.method === 'DELETE') {
    const wanted = request.headers['if-match'];
    if (wanted && !holds(wanted, page, tagOf(page))) return refuse(request, response, 412, 'Page has been edited');
    pages.delete(path);
    response.writeHead(204, fields(request));
    return response.end();
  }
  return show(request, response, page);
}
http.createServer((request, response) => {
  answer(request, response).catch(() => refuse(request, response, 500, 'Internal error'));
}).listen(Number(process.argv[2]), '127.0.0.1');
