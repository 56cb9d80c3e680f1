const express = require("express");
const { greeting } = require("@starter/greeting");

const app = express();
app.get("/api/hello", (request, response) => response.send(greeting("the API")));
app.get("/api/health", (request, response) => response.json({ status: "ok" }));
app.listen(process.env.PORT || 4000);
