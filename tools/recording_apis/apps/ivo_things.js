// Imitations on Express: Contentful's management API, Spring Data REST, Kubernetes config maps, Twilio Sync.
const express = require('express');
const [, , port, kind] = process.argv;
const app = express();
app.disable('x-powered-by');
app.disable('etag');
const type = (name) => (req, res, next) => { res.set('Content-Type', name); next(); };
app.use(express.json({ type: () => true }));
const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
const now = () => new Date().toISOString();

function contentful() {
  const base = '/spaces/k9w2/environments/master';
  const entries = {};
  for (const id of ['5KsDBWseXY6QegucYAoacS', '4xEP1vXbUswwyIMKmg2AgK']) {
    entries[id] = { sys: { id, type: 'Entry', version: 11, publishedVersion: 10, updatedAt: now(),
      contentType: { sys: { id: 'recipe' } } }, fields: { title: { 'de-DE': 'Quark' }, minutes: { 'de-DE': 30 } } };
  }
  app.use(type('application/vnd.contentful.management.v1+json'));
  app.get(`${base}/content_types/recipe`, (req, res) => res.json({ name: 'Recipe', sys: { version: 4 } }));
  app.get(`${base}/entries`, (req, res) => res.json({ sys: { type: 'Array' }, total: 2, items: Object.values(entries) }));
  app.get(`${base}/entries/:id`, (req, res) => res.json(entries[req.params.id]));
  app.get(`${base}/locales`, (req, res) => res.json({ total: 1, items: [{ code: 'de-DE', default: true }] }));
  app.put(`${base}/entries/:id`, async (req, res) => {
    const entry = entries[req.params.id];
    await pause(120);
    if (Number(req.get('X-Contentful-Version')) !== entry.sys.version) {
      return res.status(409).json({ sys: { type: 'Error', id: 'VersionMismatch' }, requestId: '7d2c61f0', message: '' });
    }
    entry.fields = req.body.fields;
    entry.sys = { ...entry.sys, version: entry.sys.version + 1, updatedAt: now(),
      updatedBy: { sys: { id: 'u-4Fk', type: 'Link', linkType: 'User' } } };
    return res.json(entry);
  });
}

function spring() {
  const rooms = {};
  for (const n of [1, 2, 3]) rooms[n] = { version: 4, name: `Saal ${n}`, seats: 40 + n, projector: true };
  const shown = (n) => {
    const { version, ...rest } = rooms[n];
    return { ...rest, _links: { self: { href: `http://rooms.campus.test/rooms/${n}` } } };
  };
  app.use(type('application/hal+json'));
  app.get('/', (req, res) => res.json({ _links: { rooms: { href: 'http://rooms.campus.test/rooms{?page,size,sort}', templated: true } } }));
  app.get('/rooms', (req, res) => res.json({ _embedded: { rooms: Object.keys(rooms).map(shown) }, page: { size: 20, totalElements: 3 } }));
  app.get('/rooms/:n', (req, res) => res.set('ETag', `"${rooms[req.params.n].version}"`).json(shown(req.params.n)));
  app.patch('/rooms/:n', async (req, res) => {
    const room = rooms[req.params.n];
    const guard = req.get('If-Match');
    if (guard && guard !== `"${room.version}"`) return res.status(412).end();
    const copy = { ...room };
    await pause(180);
    rooms[req.params.n] = { ...copy, ...req.body, version: copy.version + 1 };
    return res.set('ETag', `"${copy.version + 1}"`).json(shown(req.params.n));
  });
}

function kubernetes() {
  const maps = {};
  let rv = 884120;
  const manager = (req) => (req.get('User-Agent') || '').split('/')[0];
  for (const name of ['edge-routes', 'edge-limits']) {
    maps[name] = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name, namespace: 'edge', uid: `7c1e-${name.length}`,
      resourceVersion: String(rv += 3), managedFields: [{ manager: 'helm', operation: 'Update', time: now() }] }, data: { a: '10' } };
  }
  const base = '/api/v1/namespaces/edge';
  app.get('/version', (req, res) => res.json({ major: '1', minor: '31', gitVersion: 'v1.31.2' }));
  app.get(`${base}/configmaps`, (req, res) => res.json({ kind: 'ConfigMapList', metadata: { resourceVersion: String(rv) }, items: Object.values(maps) }));
  app.get(`${base}/configmaps/:name`, (req, res) => res.json(maps[req.params.name]));
  app.get(`${base}/pods`, (req, res) => res.json({ kind: 'PodList', items: [] }));
  app.put(`${base}/configmaps/:name`, (req, res) => {
    const { name } = req.params;
    const sent = req.body.metadata.resourceVersion;
    if (sent && sent !== maps[name].metadata.resourceVersion) {
      return res.status(409).json({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason: 'Conflict', code: 409,
        message: `Operation cannot be fulfilled on configmaps "${name}": the object has been modified; please apply your changes to the latest version and try again`,
        details: { name, kind: 'configmaps' } });
    }
    const fields = [...maps[name].metadata.managedFields, { manager: manager(req), operation: 'Update', time: now() }];
    maps[name] = { ...req.body, metadata: { ...req.body.metadata, resourceVersion: String(rv += 2), managedFields: fields } };
    return res.json(maps[name]);
  });
}

function sync() {
  const docs = {};
  const items = {};
  for (const n of ['ring-1', 'ring-2']) docs[n] = { revision: 'a', data: { state: 'idle', n: 0 } };
  for (const n of ['anna', 'bo']) items[n] = { revision: '1f', data: { shift: 'early', desk: 3 } };
  const base = '/v1/Services/IS5f2c';
  const shown = (key, name, one) => ({ [key]: name, service_sid: 'IS5f2c', revision: one.revision, data: one.data, date_updated: one.at || '2026-11-20T08:00:00Z', created_by: 'system' });
  const next = (revision) => (parseInt(revision, 16) + 1).toString(16);
  app.get(base, (req, res) => res.json({ sid: 'IS5f2c', friendly_name: 'floor' }));
  app.get(`${base}/Documents`, (req, res) => res.json({ documents: Object.keys(docs).map((n) => shown('unique_name', n, docs[n])), meta: { key: 'documents', page: 0 } }));
  app.get(`${base}/Maps/staff/Items`, (req, res) => res.json({ items: Object.keys(items).map((n) => shown('key', n, items[n])), meta: { key: 'items', page: 0 } }));
  const one = (all, key) => [
    (req, res) => res.json(shown(key, req.params.n, all[req.params.n])),
    (req, res) => {
      const held = all[req.params.n];
      const guard = req.get('If-Match');
      if (guard && all === docs && guard !== held.revision) {
        return res.status(412).json({ code: 54103, message: 'The revision of the Document does not match the expected revision', more_info: 'https://www.twilio.com/docs/errors/54103', status: 412 });
      }
      Object.assign(held, { data: req.body.Data, revision: next(held.revision), at: now() });
      return res.json(shown(key, req.params.n, held));
    }];
  app.route(`${base}/Documents/:n`).get(one(docs, 'unique_name')[0]).post(one(docs, 'unique_name')[1]);
  app.route(`${base}/Maps/staff/Items/:n`).get(one(items, 'key')[0]).post(one(items, 'key')[1]);
}

({ contentful, spring, kubernetes, sync })[kind]();
app.listen(Number(port), '127.0.0.1');
