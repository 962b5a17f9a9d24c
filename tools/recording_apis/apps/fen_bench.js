// Three small services on Express: setpoints of greenhouses, photographs with derived data, and a school's
// marks over GraphQL. The first argument is the port, the second the service.
const express = require('express');
const crypto = require('node:crypto');
const [, , port, kind] = process.argv;
const app = express();
app.disable('x-powered-by');
app.use(express.json());
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
app.get('/', (req, res) => res.send('ok'));

// Setpoints: the framework's own weak tags, and a strict comparison.
function climate() {
  const houses = {};
  for (const n of [11, 12, 14]) houses[n] = { kas: n, gewas: 'paprika', dag: 21.5, nacht: 17.0, co2: 800 };
  const tagOf = (house) => app.get('etag fn')(Buffer.from(JSON.stringify(house)), 'utf8');
  const passes = (field, tag) => field.split(',').some((one) => one.trim() === tag && !tag.startsWith('W/'));
  app.get('/kassen', (req, res) => res.json(Object.keys(houses)));
  app.get('/weer', (req, res) => res.json({ buiten: 6.4, straling: 112 }));
  app.get('/kassen/:n', (req, res) => (houses[req.params.n] ? res.json(houses[req.params.n]) : res.status(404).end()));
  app.put('/kassen/:n', (req, res) => {
    const now = houses[req.params.n];
    const field = req.get('If-Match');
    if (field === undefined) return res.status(428).json({ melding: 'If-Match ontbreekt' });
    if (!passes(field, tagOf(now))) return res.status(412).json({ melding: 'Voorwaarde niet vervuld' });
    houses[req.params.n] = req.body;
    return res.json(req.body);
  });
}

// Photographs: a worker of the service adds colours and a caption after each upload of facts.
function photographs() {
  const photos = {};
  for (const n of ['p-88', 'p-89', 'p-90']) {
    photos[n] = { id: n, place: 'quay', caption: '', colours: [], edition: 14, touchedBy: 'import' };
  }
  app.get('/photos', (req, res) => res.json(Object.values(photos).map(({ id, edition }) => ({ id, edition }))));
  app.get('/photos/:id', (req, res) => res.json(photos[req.params.id]));
  app.get('/quota', (req, res) => res.json({ used: 61, of: 500 }));
  app.post('/photos/:id/facts', async (req, res) => {
    const photo = photos[req.params.id];
    if (Number(req.query.edition) !== photo.edition) {
      return res.status(409).json({ problem: 'edition-moved', yours: Number(req.query.edition), current: photo.edition });
    }
    Object.assign(photo, req.body, { edition: photo.edition + 1, touchedBy: req.get('X-Account') });
    res.json(photo);
    await pause(350);
    const digest = crypto.createHash('md5').update(photo.place).digest('hex');
    return Object.assign(photo, { colours: [`#${digest.slice(0, 6)}`], edition: photo.edition + 1, touchedBy: 'svc:enrich' });
  });
}

// Marks: the revision is compared first and stored some time later.
function marks() {
  const pupils = {};
  for (const id of ['e-401', 'e-402']) pupils[id] = { id, algebra: null, biologia: null, rev: 20 };
  app.get('/kalendarz', (req, res) => res.json({ semestr: 1 }));
  app.post('/graphql', async (req, res) => {
    const { query, variables } = req.body;
    const pupil = pupils[variables.id];
    if (!query.startsWith('mutation')) return res.json({ data: { uczen: pupil } });
    if (variables.rev !== pupil.rev) {
      const extensions = { code: 'NIEAKTUALNA_REWIZJA', rev: pupil.rev };
      return res.json({ data: { zapiszOceny: null }, errors: [{ message: 'Rewizja jest nieaktualna', path: ['zapiszOceny'], extensions }] });
    }
    const next = { ...pupil, ...variables.oceny, rev: pupil.rev + 1 };
    await pause(260);
    pupils[variables.id] = next;
    return res.json({ data: { zapiszOceny: next } });
  });
}

({ climate, photographs, marks })[kind]();
app.listen(Number(port), '127.0.0.1');
