// Appointments of a practice on Express: its own weak tags, and If-Match by strong comparison.
const express = require('express');
const [, , port, seed] = process.argv;
const app = express();
const rows = new Map(Object.entries(JSON.parse(seed)));
app.disable('x-powered-by');
app.use(express.json());
const weak = app.get('etag fn');
const tagOf = (row) => weak(JSON.stringify(row), 'utf-8');
const holds = (sent, own) => sent.trim() === '*' || (!own.startsWith('W/') && sent.split(',').map((s) => s.trim()).includes(own));

app.get('/v3/termine', (req, res) => res.json({ termine: [...rows.keys()], tag: '2026-11-30' }));
app.get('/v3/raeume', (req, res) => res.json([{ raum: 'A', liegen: 2 }, { raum: 'B', liegen: 1 }]));
app.get('/v3/termine/:id', (req, res) => {
  const row = rows.get(req.params.id);
  if (!row) return res.status(404).json({ fehler: 'unbekannt' });
  return res.json(row);
});
app.put('/v3/termine/:id', (req, res) => {
  const row = rows.get(req.params.id);
  const sent = req.get('If-Match');
  if (sent !== undefined && (!row || !holds(sent, tagOf(row)))) {
    return res.status(412).json({ fehler: 'Vorbedingung nicht erfüllt', termin: req.params.id });
  }
  rows.set(req.params.id, req.body);
  return res.status(row ? 200 : 201).json(req.body);
});
app.listen(Number(port), '127.0.0.1');
