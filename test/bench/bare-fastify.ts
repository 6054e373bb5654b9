/** The floor: a Fastify that parses a body and forgets it. Prints its URL when it listens. */
import Fastify from "fastify";

const app = Fastify();
app.post("/", async () => ({ success: true }));
process.stdout.write(`${await app.listen({ host: "127.0.0.1", port: 0 })}\n`);
