// Sends what it is told on standard input, a JSON object a line, and answers a JSON object a line.
// Every connection to port 80 goes to the loopback port named by the first argument.
const net = require('node:net');
const readline = require('node:readline');
const [, , port, library] = process.argv;
const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...given) {
  const options = Array.isArray(given[0]) ? given[0][0] : given[0];
  if (options && Number(options.port) === 80) {
    options.host = '127.0.0.1';
    options.port = Number(port);
    delete options.lookup;
  }
  return connect.apply(this, given);
};
const axios = library === 'axios' ? require('axios') : null;

async function send({ method, url, headers, body }) {
  const content = body === null ? undefined : Buffer.from(body, 'base64');
  if (axios) {
    const r = await axios.request({ method, url, headers, data: content, responseType: 'arraybuffer',
      validateStatus: () => true, maxRedirects: 0, timeout: 8000 });
    return { status: r.status, fields: Object.entries(r.headers), body: Buffer.from(r.data).toString('base64') };
  }
  const r = await fetch(url, { method, headers, body: content, redirect: 'manual',
    signal: AbortSignal.timeout(8000) });
  const data = Buffer.from(await r.arrayBuffer());
  return { status: r.status, fields: [...r.headers], body: data.toString('base64') };
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    let answer;
    try { answer = await send(JSON.parse(line)); } catch (error) { answer = { status: 0, fields: [], body: '' }; }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
})();
