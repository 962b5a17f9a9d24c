// An Express service: notes in memory, compared by the tag of what GET sends; files below /files.
const express = require('express');
const app = express();
const etag = require('etag');
const [, , port, folder] = process.argv;
const notes = { 1: { text: 'call the plumber', pinned: false }, 2: { text: 'tickets', pinned: true } };

app.use(express.json());
app.use('/files', express.static(folder));
app.get('/notes', (request, response) => response.json(Object.values(notes)));
app.get('/notes/:key', (request, response) => response.json(notes[request.params.key]));
app.put('/notes/:key', (request, response) => {
  const body = Buffer.from(JSON.stringify(notes[request.params.key]));
  const current = etag(body, { weak: true });
  const wanted = request.get('If-Match');
  if (wanted && wanted !== current) return response.status(412).json({ error: 'note has changed' });
  notes[request.params.key] = request.body;
  response.json({ saved: true, key: Number(request.params.key) });
});
app.listen(Number(port), '127.0.0.1');
