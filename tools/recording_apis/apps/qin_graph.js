// A shop's order desk on Express: GraphQL mutations with expectedVersion, JSON-RPC, and REST with headers of its own.
// Environment: SEED (JSON rows by id), HABITS (comma-separated): race, demand, project (one revision for all assets of a
// project), http409 (GraphQL conflicts with status 409), soft (all is 200); HOLD: seconds between check and write.
const express = require('express');
const rows = new Map();
const habits = new Set((process.env.HABITS || '').split(','));
const hold = Number(process.env.HOLD || 0) * 1000;
for (const [id, data] of Object.entries(JSON.parse(process.env.SEED || '{}'))) {
  const { '#v': version = 11, ...rest } = data;
  rows.set(id, { version, by: 'import', data: rest });
}
let chain = Promise.resolve();
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const guarded = (work) => {
  if (habits.has('race')) return work();
  const next = chain.then(work);
  chain = next.catch(() => {});
  return next;
};
const app = express();
app.set('etag', false);
app.disable('x-powered-by');
app.use(express.json({ type: ['application/json', 'application/graphql-response+json'] }));
app.get('/-/up', (_, answer) => answer.send('up'));
const who = (request) => request.get('X-Client-Name') || 'guest';
const shown = (id, type) => ({ __typename: type, id, version: rows.get(id).version, ...rows.get(id).data, updatedBy: rows.get(id).by });

function failure(message, code, path, more) {
  return { errors: [{ message, path: [path], extensions: { code, ...more } }], data: { [path]: null } };
}

app.post('/graphql', async (request, answer) => {
  const { query, variables = {} } = request.body;
  answer.set('X-Graph-Cost', String(query.length % 17));
  if (!query.trimStart().startsWith('mutation')) {
    if (variables.id) {
      const found = rows.has(variables.id);
      return answer.json({ data: { order: found ? shown(variables.id, 'Order') : null } });
    }
    return answer.json({ data: { orders: [...rows.keys()].map((id) => shown(id, 'Order')) } });
  }
  const field = /mutation[^{]*\{\s*(\w+)/.exec(query)[1];
  const { id, expectedVersion, ...changes } = variables.input;
  await guarded(async () => {
    const row = rows.get(id);
    if (!row) return answer.json(failure(`Order ${id} not found`, 'NOT_FOUND', field, {}));
    if (expectedVersion === undefined && habits.has('demand')) {
      return answer.status(200).json(failure('Field "expectedVersion" of required type "Int!" was not provided.', 'BAD_USER_INPUT', field, {}));
    }
    if (expectedVersion !== undefined && expectedVersion !== row.version) {
      const told = failure('The order was modified by another request', 'VERSION_CONFLICT', field, { expectedVersion, currentVersion: row.version });
      return answer.status(habits.has('http409') ? 409 : 200).json(told);
    }
    if ((changes.note || '').length > 60) {
      return answer.json(failure('note is too long (maximum is 60 characters)', 'VALIDATION_FAILED', field, { argument: 'note' }));
    }
    await sleep(hold);
    rows.set(id, { version: row.version + 1, by: who(request), data: { ...row.data, ...changes } });
    return answer.json({ data: { [field]: shown(id, 'Order') } });
  });
});

const projectOf = (id) => id.split('/')[0];
function revision(id) {
  if (!habits.has('project')) return rows.get(id).version;
  return [...rows].filter(([key]) => projectOf(key) === projectOf(id)).reduce((sum, [, row]) => sum + row.version, 0);
}
app.post('/rpc', async (request, answer) => {
  const { id: call, method, params } = request.body;
  const reply = (more) => answer.json({ jsonrpc: '2.0', id: call, ...more });
  const row = rows.get(params.asset);
  if (method === 'asset.list') return reply({ result: [...rows.keys()].filter((key) => !params.project || projectOf(key) === params.project) });
  if (!row) return reply({ error: { code: -32004, message: 'Asset not found', data: { asset: params.asset } } });
  if (method === 'asset.get') return reply({ result: { asset: params.asset, ...row.data, [habits.has('project') ? 'projectRevision' : 'revision']: revision(params.asset) } });
  return guarded(async () => {
    const now = rows.get(params.asset);
    const sent = params.revision ?? params.projectRevision;
    if (sent !== undefined && sent !== revision(params.asset)) {
      return reply({ error: { code: -32009, message: 'Revision conflict', data: { sent, current: revision(params.asset), changedBy: now.by } } });
    }
    if (sent === undefined && habits.has('demand')) return reply({ error: { code: -32602, message: 'Invalid params: revision is required' } });
    await sleep(hold);
    rows.set(params.asset, { version: now.version + 1, by: who(request), data: { ...now.data, ...params.set } });
    return reply({ result: { asset: params.asset, ...rows.get(params.asset).data, [habits.has('project') ? 'projectRevision' : 'revision']: revision(params.asset) } });
  });
});

app.get('/v1/carts/:id', (request, answer) => {
  const row = rows.get(request.params.id);
  if (!row) return answer.status(404).json({ fault: 'NoSuchCart' });
  return answer.set('X-Revision', String(row.version)).json({ id: request.params.id, ...row.data });
});
app.put('/v1/carts/:id', (request, answer) => guarded(async () => {
  const row = rows.get(request.params.id);
  const sent = request.get('X-If-Revision') || request.get('x_if_revision');
  if (!row) return answer.status(404).json({ fault: 'NoSuchCart' });
  if (sent === undefined && habits.has('demand')) return answer.status(428).json({ fault: 'RevisionRequired', hint: 'X-If-Revision' });
  if (sent !== undefined && sent !== String(row.version)) {
    return answer.status(412).set('X-Revision', String(row.version)).json({ fault: 'RevisionMismatch', yours: sent });
  }
  await sleep(hold);
  rows.set(request.params.id, { version: row.version + 1, by: who(request), data: request.body });
  return answer.set('X-Revision', String(row.version + 1)).json({ id: request.params.id, ...request.body });
}));
app.listen(Number(process.argv[2]), '127.0.0.1');
