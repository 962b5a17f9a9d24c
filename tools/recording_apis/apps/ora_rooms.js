// Meeting rooms and their bookings on Node's http: JSON by path, tags of content and revision.
// ROOMS: {docs, gzip: compress by itself, weak, twin: a second tag for Accept text/html, flat: check before waiting}.
const http = require('node:http');
const crypto = require('node:crypto');
const zlib = require('node:zlib');
const told = JSON.parse(process.env.ROOMS);
const docs = new Map(Object.entries(told.docs).map(([path, value], n) =>
  [path, { value, rev: 4 + n, changed: Date.now() - 86400000 * (n + 1) }]));

function tagOf(path, doc, request) {
  const twin = told.twin && (request.headers.accept || '').includes('html') ? 'h' : '';
  const sum = crypto.createHash('sha1').update(path + doc.rev + JSON.stringify(doc.value)).digest('base64url');
  return `${told.weak ? 'W/' : ''}"${sum.slice(0, 12)}${twin}"`;
}

function say(response, status, fields, value) {
  const text = value === undefined ? '' : JSON.stringify(value);
  const length = status === 204 || status === 304 ? {} : { 'Content-Length': Buffer.byteLength(text) };
  response.writeHead(status, { 'X-Powered-By': 'rooms/2.4', 'Cache-Control': 'no-cache', ...fields, ...length });
  response.end(text);
}

function refused(request, doc, tag) {
  const { 'if-match': match, 'if-none-match': none, 'if-unmodified-since': since } = request.headers;
  const safe = request.method === 'GET' || request.method === 'HEAD';
  if (match !== undefined) {
    const held = match.trim() === '*' ? doc : doc && match.split(',').some((one) => one.trim() === tag);
    if (!held || (told.weak && match !== '*')) return 412;
  } else if (since !== undefined && doc && Math.floor(doc.changed / 1000) * 1000 > Date.parse(since)) return 412;
  if (none !== undefined && doc && (none.trim() === '*' || none.includes(tag))) return safe ? 304 : 412;
  return 0;
}

function show(request, response, path, doc) {
  const tag = tagOf(path, doc, request);
  const fields = { ETag: tag, 'Last-Modified': new Date(doc.changed).toUTCString() };
  const status = refused(request, doc, tag);
  if (status === 412) return say(response, 412, {}, { error: 'PreconditionFailed', path });
  if (status) return say(response, 304, fields);
  const value = { ...doc.value, _rev: doc.rev };
  if (!told.gzip || !(request.headers['accept-encoding'] || '').includes('gzip')) {
    return say(response, 200, { ...fields, 'Content-Type': 'application/json' }, value);
  }
  const packed = zlib.gzipSync(JSON.stringify(value));
  response.writeHead(200, { ...fields, ETag: tag.replace(/"$/, '-gz"'), 'Content-Type': 'application/json',
    'Content-Encoding': 'gzip', Vary: 'Accept-Encoding', 'Content-Length': packed.length });
  return response.end(packed);
}

function store(request, response, path, body) {
  const doc = docs.get(path);
  const status = refused(request, doc, doc && tagOf(path, doc, request));
  if (status) return say(response, status, {}, { error: 'PreconditionFailed', path });
  if (request.method === 'DELETE') { docs.delete(path); return say(response, doc ? 204 : 404, {}); }
  const sent = JSON.parse(body);
  const made = { value: request.method === 'PATCH' ? { ...doc.value, ...sent } : sent,
    rev: doc ? doc.rev + 1 : 1, changed: Date.now() };
  docs.set(path, made);
  return say(response, doc ? 200 : 201, { ETag: tagOf(path, made, request), 'Content-Type': 'application/json',
    'Last-Modified': new Date(made.changed).toUTCString() }, { ...made.value, _rev: made.rev });
}

http.createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const path = request.url.split('?')[0];
    if (path === '/-/ready') return say(response, 200, {}, 'ok');
    if (!['GET', 'HEAD'].includes(request.method)) return store(request, response, path, Buffer.concat(chunks));
    if (docs.has(path)) return show(request, response, path, docs.get(path));
    const below = [...docs.keys()].filter((key) => key.startsWith(`${path}/`));
    return say(response, below.length ? 200 : 404, { 'Content-Type': 'application/json' }, { rooms: below });
  });
}).listen(Number(process.argv[2]), '127.0.0.1');
