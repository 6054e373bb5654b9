/** The floor of what is resident: a Fastify and a pool of `pg` that has asked once. Prints its URL when it listens. */
import Fastify from "fastify";
import pg from "pg";

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
const app = Fastify();
app.get("/", async () => (await pool.query("select 1 as one")).rows[0]);
await pool.query("select 1");
process.stdout.write(`is ready at ${await app.listen({ host: "127.0.0.1", port: 0 })}\n`);
