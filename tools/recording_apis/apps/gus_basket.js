// Imitations after their documentation, on Fastify: Broadleaf carts, an xAPI record store, Consul's keys, Fastly's store.
const fastify = require('fastify')({ forceCloseConnections: true, exposeHeadRoutes: false });
const crypto = require('node:crypto');
const [, , port, mode] = process.argv;
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
fastify.removeAllContentTypeParsers();
fastify.addContentTypeParser('*', { parseAs: 'string' }, (request, body, done) => done(null, body));
fastify.get('/-/up', async () => 'up');
const json = (request) => JSON.parse(request.body || '{}');

function carts() {
  const cart = { id: '01HV7M2K9QCART', version: 11, status: 'IN_PROCESS', currency: 'CHF', items: [
    { id: 'it-1', sku: 'FONDUE-SET-6', quantity: 1 }, { id: 'it-2', sku: 'RECHAUD-PASTE', quantity: 2 }] };
  const say = (reply, status, body) => reply.code(status).header('X-Correlation-Id', crypto.randomUUID()).send(body);
  fastify.get('/api/cart/resolve', async (request, reply) => say(reply, 200, cart));
  fastify.get('/api/catalog/products', async (request, reply) => say(reply, 200, { content: [
    { sku: 'GABEL-HOLZ', price: 7.5 }, { sku: 'MUSKAT-GANZ', price: 3.9 }], totalElements: 2 }));
  const change = async (request, reply, act) => {
    if (Number(request.headers['x-cart-version']) !== cart.version) {
      return say(reply, 409, { type: 'OPTIMISTIC_LOCK', message: 'Cart was modified by another request' });
    }
    const copy = structuredClone(cart);
    await sleep(160); // prices and stock are asked for elsewhere
    act(copy);
    copy.version += 1;
    Object.assign(cart, copy);
    return say(reply, 200, copy);
  };
  fastify.post('/api/cart/01HV7M2K9QCART/items', (request, reply) => change(request, reply, (copy) =>
    copy.items.push({ id: `it-${crypto.randomBytes(2).toString('hex')}`, ...json(request) })));
  fastify.patch('/api/cart/01HV7M2K9QCART/items/:id', (request, reply) => change(request, reply, (copy) =>
    Object.assign(copy.items.find((one) => one.id === request.params.id), json(request))));
}

function records() {
  const kept = new Map();
  const key = (query) => `${query.activityId}|${query.profileId}`;
  const tag = (text) => `${mode === 'lrs-weak' ? 'W/' : ''}"${crypto.createHash('sha1').update(text).digest('hex')}"`;
  kept.set('https://kurs.example/brandschutz|fortschritt', '{"stand":"Modul 3","punkte":41}');
  kept.set('https://kurs.example/brandschutz|einstellungen', '{"sprache":"de","ton":true}');
  const heads = (reply) => reply.header('X-Experience-API-Version', '1.0.3');
  const read = async (request, reply) => {
    const text = kept.get(key(request.query));
    heads(reply);
    if (text === undefined) return reply.code(404).send('');
    reply.header('ETag', tag(text)).header('Content-Type', 'application/json');
    return request.headers['if-none-match'] === tag(text) ? reply.code(304).send() : reply.send(text);
  };
  fastify.get('/xapi/about', async (request, reply) => heads(reply).send({ version: ['1.0.3'] }));
  fastify.get('/xapi/statements', async (request, reply) => heads(reply).send({ statements: [], more: '' }));
  fastify.post('/xapi/statements', async (request, reply) => heads(reply).send([crypto.randomUUID()]));
  for (const base of ['/xapi', '/eu2/xapi']) {
    fastify.get(`${base}/activities/profile`, read);
    fastify.put(`${base}/activities/profile`, async (request, reply) => {
      heads(reply);
      if (mode === 'lrs-moved' && base === '/xapi') {
        return reply.code(302).header('Location', `/eu2${request.raw.url}`).send('');
      }
      const now = kept.get(key(request.query));
      const given = request.headers['if-match'];
      if (now !== undefined && given === undefined) return reply.code(409).send('If-Match or If-None-Match required');
      const fits = now !== undefined && given.split(',').some((one) => one.trim() === tag(now) && !one.includes('W/'));
      if (now !== undefined && !fits) return reply.code(412).send('');
      kept.set(key(request.query), request.body);
      return reply.code(204).send();
    });
  }
}

function keys() {
  const kept = { 'ops/deploy/halle-nord': { value: 'v4.18.2', index: 88120, flags: 0 },
    'ops/deploy/halle-sued': { value: 'v4.18.0', index: 87944, flags: 0 } };
  let index = 88131;
  const heads = (reply, at) => reply.header('X-Consul-Index', at).header('X-Consul-Knownleader', 'true')
    .header('X-Consul-Lastcontact', '0').header('X-Consul-Default-Acl-Policy', 'allow');
  const row = (name) => ({ LockIndex: 0, Key: name, Flags: kept[name].flags, CreateIndex: 80011,
    Value: Buffer.from(kept[name].value).toString('base64'), ModifyIndex: kept[name].index });
  fastify.get('/v1/status/leader', async () => '"10.40.0.7:8300"');
  fastify.get('/v1/catalog/services', async (request, reply) => heads(reply, index).send({ consul: [], druckserver: ['v4'] }));
  fastify.get('/v1/kv/*', async (request, reply) => {
    const name = request.params['*'];
    const found = 'recurse' in request.query ? Object.keys(kept).filter((one) => one.startsWith(name)).sort()
      : Object.keys(kept).filter((one) => one === name);
    if (!found.length) return heads(reply, index).code(404).send('');
    return heads(reply, Math.max(...found.map((one) => kept[one].index))).send(found.map(row));
  });
  fastify.put('/v1/kv/*', async (request, reply) => {
    const name = request.params['*'];
    const cas = request.query.cas;
    reply.header('Content-Type', 'application/json');
    if (cas !== undefined && Number(cas) !== (kept[name] ? kept[name].index : 0)) return reply.send('false');
    index += 4;
    kept[name] = { value: request.body || '', index, flags: 0 };
    return reply.send('true');
  });
}

function store() {
  const kept = new Map();
  let number = 1731000000;
  const base = '/resources/stores/kv/2xkq7wd0m5/keys';
  fastify.get(base, async () => ({ data: [...kept.keys()], meta: { limit: 100, next_cursor: '' } }));
  fastify.get(`${base}/:key`, async (request, reply) => {
    const one = kept.get(request.params.key);
    if (!one) return reply.code(404).send({ title: 'Item not found', status: 404 });
    return reply.header('generation', one.generation).header('Content-Type', 'application/octet-stream').send(one.value);
  });
  fastify.put(`${base}/:key`, async (request, reply) => {
    const one = kept.get(request.params.key);
    const given = request.headers['if-generation-match'];
    const add = request.query.add === 'true';
    if ((given && (!one || String(one.generation) !== given)) || (add && one)) {
      return reply.code(412).send({ title: 'Precondition failed', status: 412 });
    }
    number += 7;
    kept.set(request.params.key, { value: request.body || '', generation: number });
    return reply.header('generation', number).code(200).send('');
  });
  fastify.post('/service/9Fq/purge/:tag', async () => ({ status: 'ok' }));
}

({ carts, 'lrs-weak': records, 'lrs-moved': records, keys, store })[mode]();
fastify.listen({ port: Number(port), host: '127.0.0.1' });
