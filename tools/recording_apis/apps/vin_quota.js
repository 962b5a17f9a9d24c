// Quotas of a building's meeting rooms on Express, which makes the tags from the content.
const express = require("express");

const app = express();
app.use(express.json());
const rooms = { aula: { room: "aula", seats: 120, limit: 4 }, k12: { room: "k12", seats: 14, limit: 9 } };
app.get("/", (_request, response) => response.json({ service: "rooms" }));
app.get("/api/rooms", (_request, response) => response.json(Object.keys(rooms)));
app.get("/api/rooms/:id", (request, response) => response.json(rooms[request.params.id]));
app.get("/api/rooms/:id/quota", (request, response) => {
  const { limit } = rooms[request.params.id];
  response.json({ room: request.params.id, limit, used: 2, traceId: Math.random().toString(16).slice(2, 14) });
});
app.put("/api/rooms/:id", (request, response) => {
  rooms[request.params.id] = { ...rooms[request.params.id], ...request.body };
  response.json(rooms[request.params.id]);
});
app.listen(Number(process.argv[2]), "127.0.0.1");
