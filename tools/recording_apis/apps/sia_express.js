// A parcel service on Express: JSON with the tags that Express makes itself, and If-Match looked at by hand;
// below /v1/kv a key store after the documentation of Consul's, whose check-and-set answers true or false.
const express = require('express');
const [, , port] = process.argv;
const told = JSON.parse(process.env.SIA);
const held = new Map(Object.entries(told.docs));
const habits = told.habits || {};
const app = express();
let index = 4100;
app.use('/v1/kv', express.text({ type: '*/*' }), (request, response) => {
  const key = request.path.slice(1);
  const value = held.get(key);
  response.set('X-Consul-Index', String(index));
  if (request.method === 'PUT') {
    const { cas } = request.query;
    const fits = cas === undefined || Number(cas) === (value ? value.at : 0);
    if (fits) held.set(key, { text: request.body || '', at: (index += 1) });
    return response.type('json').send(String(fits));
  }
  if (!value) return response.status(404).end();
  const text = Buffer.from(value.text).toString('base64');
  return response.json([{ Key: key, Flags: 0, Value: text, ModifyIndex: value.at, LockIndex: 0 }]);
});
app.use(express.json());
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
// RFC 9110 section 13.1.1: strong comparison, which a weak tag never passes.
const strong = (sent, tag) => sent.trim() === '*'
  || sent.split(',').map((one) => one.trim()).some((one) => one === tag && !one.startsWith('W/'));

function tagOf(value) {
  if (habits.versions) return `"${value.version}"`;
  return app.get('etag fn')(JSON.stringify(value), 'utf8');
}

app.get('/healthz', (request, response) => response.type('text').send('ok'));
app.get('/:kind', (request, response) => {
  const under = [...held.keys()].filter((one) => one.startsWith(`/${request.params.kind}/`));
  if (!under.length) return response.status(404).json({ error: 'no such collection' });
  return response.json({ total: under.length, ids: under.map((one) => one.split('/')[2]) });
});
app.get('/:kind/:id', (request, response) => {
  const value = held.get(request.path);
  if (!value) return response.status(404).json({ error: 'unknown id' });
  response.set('Cache-Control', 'no-cache');
  if (habits.versions) response.set('ETag', tagOf(value));
  return response.json(value);
});
app.put('/:kind/:id', async (request, response) => {
  const value = held.get(request.path);
  const sent = request.get('If-Match');
  if (sent !== undefined && (!value || !strong(sent, tagOf(value)))) {
    return response.status(412).json({ error: 'PreconditionFailed', message: 'Versión no coincide.' });
  }
  if (habits.wait) await pause(habits.wait);
  const made = habits.versions ? { ...request.body, version: (value ? value.version : 0) + 1 } : request.body;
  held.set(request.path, made);
  if (habits.versions) response.set('ETag', tagOf(made));
  return response.status(value ? 200 : 201).json(made);
});
app.listen(Number(port), '127.0.0.1');
