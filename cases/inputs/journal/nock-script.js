// This file was recorded.
const nock = require('nock');

module.exports = function () {
  nock('https://api.example.test:443', { reqheaders: { 'user-agent': 'editor/1.0', 'accept': '*/*' } })
    .get('/docs/7')
    .reply(200, '{"text": "old"}', { date: 'Tue, 24 Nov 2026 17:32:21 GMT',
      'Content-Type': 'application/json',
      etag: 'W/"5d-abc1"' });

  nock('https://api.example.test:443', { reqheaders: { 'user-agent': 'editor/1.0', 'accept': '*/*', 'content-type': 'application/json', 'if-match': 'W/"5d-abc1"' } })
    .put('/docs/7', {"text": "new"})
    .reply(412, '{"error": "precondition failed"}', { date: 'Tue, 24 Nov 2026 17:32:27 GMT',
      'Content-Type': 'application/json',
      etag: 'W/"5d-abc1"' });

  nock('https://api.example.test:443', { reqheaders: { 'user-agent': 'editor/1.0', 'accept': '*/*' } })
    .get('/docs/7')
    .reply(200, '{"text": "old"}', { date: 'Tue, 24 Nov 2026 17:32:30 GMT',
      'Content-Type': 'application/json',
      etag: 'W/"5d-abc1"' });

};
