/**
 * A small web shop to be broken and healed. Like real services it breaks without ending: once its
 * connections are lost, every request waits for one for ever, while the process and its event loop live on.
 *
 * GET /healthz, GET /checkout, POST /break (or SIGUSR2). Environment: PORT; DEMO_STARTS_FILE, a file to
 * which every start adds a line.
 */
import { randomUUID, scrypt } from "node:crypto";
import { appendFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { promisify } from "node:util";

const CONNECTIONS = 4;
const LOOPBACK = new Set(["127.0.0.1", "::1", "::ffff:127.0.0.1"]);

type Connection = { id: number };

/** A bounded pool of connections; who finds none free waits in line. */
class Pool {
  #free: Connection[];
  #waiting: ((connection: Connection) => void)[] = [];
  #leaking = false;

  constructor(size: number) {
    this.#free = Array.from({ length: size }, (_, id) => ({ id }));
  }

  /** Lends a connection to `work`. Who is `gone` before there is one leaves the line. */
  async use<T>(work: (connection: Connection) => Promise<T>, gone: AbortSignal): Promise<T> {
    const connection = await this.#take(gone);
    try {
      return await work(connection);
    } finally {
      this.#give(connection);
    }
  }

  /** From now on no connection comes back, and the idle ones are lost too. */
  leak(): void {
    this.#leaking = true;
    this.#free = [];
  }

  #take(gone: AbortSignal): Promise<Connection> {
    const free = this.#free.pop();
    if (free !== undefined) return Promise.resolve(free);
    return new Promise((resolve, reject) => {
      this.#waiting.push(resolve);
      gone.addEventListener("abort", () => {
        this.#waiting = this.#waiting.filter((other) => other !== resolve);
        reject(gone.reason);
      });
    });
  }

  #give(connection: Connection): void {
    if (this.#leaking) return;
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(connection);
    else next(connection);
  }
}

const pool = new Pool(CONNECTIONS);
const derive = promisify(scrypt) as (secret: string, salt: string, length: number) => Promise<Buffer>;

const PRICES = { tea: 490, cup: 1_250, kettle: 3_900 };

async function checkout(): Promise<object> {
  const order_id = randomUUID();
  const total_cents = Object.values(PRICES).reduce((sum, price) => sum + price, 0);
  const receipt = await derive(JSON.stringify(PRICES), order_id, 16);
  return { order_id, total_cents, receipt: receipt.toString("hex") };
}

type Answer = { status: number; body: object };

async function answer(request: IncomingMessage, gone: AbortSignal): Promise<Answer> {
  const { pathname } = new URL(request.url ?? "/", "http://localhost");
  switch (`${request.method} ${pathname}`) {
    case "POST /break":
      if (!LOOPBACK.has(request.socket.remoteAddress ?? "")) return { status: 403, body: { error: "local" } };
      pool.leak();
      return { status: 202, body: { broken: true } };
    case "GET /healthz":
      return pool.use(async ({ id }) => ({ status: 200, body: { ok: true, connection: id } }), gone);
    case "GET /checkout":
      return pool.use(async () => ({ status: 200, body: await checkout() }), gone);
    default:
      return { status: 404, body: { error: "not found" } };
  }
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort(new Error("the client has gone")));
  request.resume();
  try {
    const { status, body } = await answer(request, gone.signal);
    response.writeHead(status, { "content-type": "application/json" }).end(`${JSON.stringify(body)}\n`);
  } catch (error) {
    if (gone.signal.aborted) return;
    response.writeHead(500).end();
    console.error(error);
  }
}

process.once("SIGTERM", () => process.exit(0));
process.on("SIGUSR2", () => pool.leak());

const { PORT = "0", DEMO_STARTS_FILE, AWOOOI_EXECUTION_ID } = process.env;
if (DEMO_STARTS_FILE) {
  const start = { pid: process.pid, execution_id: AWOOOI_EXECUTION_ID ?? null, at: new Date().toISOString() };
  appendFileSync(DEMO_STARTS_FILE, `${JSON.stringify(start)}\n`);
}
const server = createServer((request, response) => void handle(request, response));
server.listen(Number(PORT), "127.0.0.1", () => {
  const address = server.address();
  console.log(`demo-shop serves at http://127.0.0.1:${typeof address === "object" ? address?.port : PORT}`);
});
