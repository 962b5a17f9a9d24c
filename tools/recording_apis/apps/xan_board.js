// A board of cards on Express with Express's own tags; MODE bends what a story needs.
const express = require('express');
const crypto = require('node:crypto');
const app = express();
const [, , port] = process.argv;
const mode = process.env.MODE || '';
const cards = JSON.parse(process.env.SEED || '{}');
const versions = Object.fromEntries(Object.keys(cards).map((key, n) => [key, n + 2]));

app.disable('x-powered-by');
if (mode.includes('strong')) app.set('etag', 'strong');
app.use(express.json());
app.get('/-/ready', (request, response) => response.send('ok'));
if (mode.includes('cors')) {
  app.use((request, response, next) => {
    response.set('Access-Control-Allow-Origin', request.get('Origin') || '*');
    response.set('Vary', 'Origin');
    if (request.method !== 'OPTIONS') return next();
    response.set('Access-Control-Allow-Methods', 'GET, PUT').set('Access-Control-Allow-Headers', 'content-type, if-match');
    return response.sendStatus(204);
  });
}
const shown = (key) => {
  const own = { id: key, ...cards[key] };
  if (mode.includes('version')) own.version = versions[key];
  if (mode.includes('nonce') && key.startsWith('aushang')) own.formular = { token: crypto.randomBytes(9).toString('base64url') };
  return own;
};
app.get('/api/cards', (request, response) => response.json(Object.keys(cards).map((key) => ({ id: key, titel: cards[key].titel }))));
app.get('/api/cards/:key', (request, response) => {
  if (!cards[request.params.key]) return response.status(404).json({ fehler: 'unbekannt' });
  response.set('Cache-Control', 'no-cache');
  return response.json(shown(request.params.key));
});
const etag = require('etag');
app.put('/api/cards/:key', (request, response) => {
  const key = request.params.key;
  if (!cards[key]) return response.status(404).json({ fehler: 'unbekannt' });
  const { version, formular, id, ...data } = request.body;
  if (mode.includes('version') && version !== versions[key]) {
    return response.json({ ok: false, code: 'STALE_VERSION', message: `card ${key} is at version ${versions[key]}, request was based on ${version}`, current: versions[key] });
  }
  if (mode.includes('guard')) {
    const wanted = request.get('If-Match');
    const current = etag(Buffer.from(JSON.stringify(shown(key))), { weak: !mode.includes('strong') });
    if (wanted && wanted !== '*' && wanted !== current) return response.status(412).json({ fehler: 'veraltet' });
  }
  cards[key] = data;
  versions[key] += 1;
  return response.json(mode.includes('version') ? { ok: true, card: shown(key) } : shown(key));
});
app.get('/seite', (request, response) => response.type('html').send('<!doctype html><title>Dienstbuch</title><h1>Dienstbuch</h1>'));
app.listen(Number(port), '127.0.0.1');
