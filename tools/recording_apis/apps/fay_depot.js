// Records with a version of their own making, on Koa; ITEMS, PLACE and HABIT come from the environment.
const Koa = require('koa');
const crypto = require('node:crypto');
const port = Number(process.argv[2]);
const items = JSON.parse(process.env.ITEMS || '{}'); // path -> content
const habit = JSON.parse(process.env.HABIT || '{}');
const revs = {};
const stamps = {};
let clock = Number(process.env.FIRST || 40);
for (const path of Object.keys(items)) { revs[path] = clock++; stamps[path] = new Date(Date.now() - 3.6e6).toISOString(); }
const sum = (path) => crypto.createHash('md5').update(JSON.stringify(items[path]) + revs[path]).digest('base64url').slice(0, 11);
const tag = (path) => `"${habit.tags === 'sum' ? sum(path) : `${revs[path]}.${path.length}`}"`;
const shown = (path) => (habit.field ? { ...items[path], [habit.field]: revs[path], ...(habit.stamp ? { [habit.stamp]: stamps[path] } : {}) } : items[path]);
const app = new Koa();

async function content(ctx) {
  const parts = [];
  for await (const part of ctx.req) parts.push(part);
  const text = Buffer.concat(parts).toString('utf8');
  return text ? JSON.parse(text) : {};
}

function later(path) {
  if (!habit.job || !path.startsWith(habit.job.under)) return;
  setTimeout(() => {
    items[path] = { ...items[path], ...habit.job.sets };
    revs[path] = clock++;
    stamps[path] = new Date().toISOString();
  }, habit.job.ms);
}

function stale(ctx, path, brought) {
  if (habit.field) return brought !== undefined && brought !== revs[path];
  const sent = ctx.get('If-Match');
  return sent !== '' && sent !== tag(path);
}

app.use(async (ctx) => {
  const path = ctx.path;
  if (path === '/up') { ctx.body = 'ok'; return; }
  if (ctx.method === 'POST' && path === '/session') { ctx.body = { token: 'k-1', ttl: 1800 }; return; }
  if (ctx.method === 'GET') {
    if (items[path] === undefined) {
      const below = Object.keys(items).filter((one) => one.startsWith(`${path}/`));
      if (below.length === 0) { ctx.status = 404; ctx.body = {}; return; }
      ctx.body = { n: below.length, rows: below.map((one) => ({ at: one, ...shown(one) })) };
      return;
    }
    if (!habit.field) ctx.set('ETag', tag(path));
    if (!habit.field && ctx.get('If-None-Match') === tag(path)) { ctx.status = 304; return; }
    ctx.body = shown(path);
    return;
  }
  const given = await content(ctx);
  const brought = habit.field ? given[habit.field] : undefined;
  delete given[habit.field];
  delete given[habit.stamp];
  if (items[path] !== undefined && stale(ctx, path, brought)) {
    ctx.status = habit.refused || 412;
    ctx.body = habit.says === undefined ? '' : habit.says;
    return;
  }
  ctx.status = items[path] === undefined ? 201 : 200;
  items[path] = ctx.method === 'PATCH' ? { ...items[path], ...given } : given;
  revs[path] = clock++;
  stamps[path] = new Date().toISOString();
  if (!habit.field) ctx.set('ETag', tag(path));
  ctx.body = shown(path);
  later(path);
});
app.listen(port, '127.0.0.1');
