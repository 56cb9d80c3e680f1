// A Fastify starter in TypeScript: one page and a health check.
import Fastify from "fastify";

const server = Fastify({ logger: true });

server.get("/", async () => "Hello from Fastify\n");
server.get("/healthz", async () => ({ status: "ok" }));

await server.listen({ host: "0.0.0.0", port: Number(process.env.PORT ?? 3000) });
