import { readFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { type Server, startServer } from "../support/server.ts";
import { until } from "../support/until.ts";
import { Canaries } from "./canaries.ts";
import { type Answer, judge, judgeRaw } from "./judge.ts";
import { Shown } from "./memory.ts";
import { Draw } from "./random.ts";
import { converse, drawConversation } from "./raw.ts";
import { type Drawn, drawRequest } from "./requests.ts";
import { drawFromSender, SENDER_SETTINGS } from "./senders.ts";
import type { Route } from "./server.ts";

export type Memory = { rss: number; heap: number };
export type Figures = {
  seed: number;
  requests: number;
  seconds: number;
  /** Calls by route, and those as of a source by its kind of body. */
  routes: Record<string, number>;
  /** Answers by status; raw conversations that were not answered under `none`. */
  statuses: Record<string, number>;
  /** After a collection: at the start and after each quarter. */
  memory: Memory[];
  log_bytes: number;
  /** What was wrong with an answer, and the first request that it came to. */
  wrong: Record<string, string>;
  /** Of the genuine alerts, those that were not taken, or are lost. */
  canaries: string[];
};

const ROLES = ["viewer", "responder", "approver", "admin"] as const;
const LANES = 16;
/** One of so many is not even HTTP. */
const RAW = 12;
/** And one of so many of the others is as of a source. */
const FROM_SENDER = 3;
/** At the start, and after so many, a genuine alert of every source. */
const CANARIES = 1_000;
const TIMEOUT_MS = 60_000;
const CUT_OFF: Answer = { status: 0, headers: {}, text: "" };

/** Sends what nobody should send to every route of a running server, and looks at every answer. */
export class Fuzz {
  readonly #draw: Draw;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: LANES });
  readonly #figures: Figures;
  readonly #shown: Shown;
  readonly #server: Server;
  readonly #routes: readonly Route[];
  readonly #canaries = new Canaries();
  #tokens: string[] = [];

  private constructor(server: Server, routes: readonly Route[], seed: number) {
    this.#server = server;
    this.#routes = routes;
    this.#draw = new Draw(seed);
    this.#shown = new Shown(this.#draw);
    this.#figures = {
      seed,
      requests: 0,
      seconds: 0,
      routes: {},
      statuses: {},
      memory: [],
      log_bytes: 0,
      wrong: {},
      canaries: [],
    };
  }

  /** The server of `folder`, with its embedded PostgreSQL, as shipped but for its port and its senders. */
  static async start(folder: string, seed: number): Promise<{ fuzz: Fuzz; server: Server }> {
    const file = join(folder, "routes.json");
    const settings = {
      server: { port: 0, log_level: "warn" },
      notification: { terminal: false },
      ...SENDER_SETTINGS,
    };
    const server = await startServer(
      folder,
      settings,
      { FUZZ_ROUTES: file },
      join(import.meta.dirname, "server.ts"),
    );
    const routes = JSON.parse(await readFile(file, "utf8")) as Route[];
    const fuzz = new Fuzz(server, routes, seed);
    await fuzz.#signIn();
    return { fuzz, server };
  }

  /** Sends `count` requests. Throws only if the server is gone. */
  async run(count: number): Promise<Figures> {
    const begun = performance.now();
    this.#figures.memory.push(await this.#memory());
    for (let quarter = 1; quarter <= 4; quarter += 1) {
      await this.#send(Math.round((count * quarter) / 4));
      this.#figures.memory.push(await this.#memory());
    }
    this.#figures.seconds = (performance.now() - begun) / 1000;
    this.#figures.log_bytes = this.#server.output().length;
    this.#figures.canaries = await this.#canaries.verdict(this.#server);
    this.#agent.destroy();
    return this.#figures;
  }

  get routes(): readonly Route[] {
    return this.#routes;
  }

  async #signIn(): Promise<void> {
    const { admin } = this.#server;
    const made = await Promise.all(
      ROLES.map((role) =>
        admin.post<{ token_id: string; token: string }>("/tokens", { name: `fuzz-${role}`, role }),
      ),
    );
    this.#tokens = made.map(({ token }) => token);
    const { items } = await admin.get<{ items: { token_id: string }[] }>("/tokens");
    this.#shown.keepOut(...items.map(({ token_id }) => token_id));
  }

  /** Several at a time, until so many are sent in all. */
  async #send(until: number): Promise<void> {
    const lane = async () => {
      while (this.#figures.requests < until) {
        this.#figures.requests += 1;
        if (this.#figures.requests % CANARIES === 1) await this.#canaries.send((drawn) => this.#ask(drawn));
        if (this.#draw.once(RAW)) await this.#raw();
        else await this.#structured();
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  }

  async #structured(): Promise<void> {
    const drawn = this.#draw.once(FROM_SENDER)
      ? drawFromSender(this.#draw)
      : drawRequest(this.#draw, this.#routes, this.#shown, this.#tokens);
    this.#count(this.#figures.routes, drawn.route);
    const answer = await this.#ask(drawn);
    this.#count(this.#figures.statuses, answer === CUT_OFF ? "none" : String(answer.status));
    if (answer === CUT_OFF) return;
    const wrong = judge(drawn.method, drawn.path, answer);
    if (wrong !== undefined) this.#tell(`${drawn.route}: ${wrong}`, drawn, answer);
    if (answer.status < 300 && answer.text.startsWith("{")) this.#shown.take(JSON.parse(answer.text));
  }

  async #raw(): Promise<void> {
    const conversation = drawConversation(this.#draw);
    this.#count(this.#figures.routes, "raw");
    const text = await converse(Number(new URL(this.#server.url).port), conversation);
    const { statuses, wrong } = judgeRaw(text);
    for (const status of statuses.length > 0 ? statuses : ["none"])
      this.#count(this.#figures.statuses, String(status));
    const { name } = conversation;
    if (wrong !== undefined) this.#figures.wrong[`${name}: ${wrong}`] ??= text.slice(0, 1_000);
  }

  #ask({ method, path, headers, body }: Drawn): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = new URL(this.#server.url);
      const length = body === undefined ? {} : { "content-length": String(body.length) };
      const options = {
        hostname,
        port,
        method,
        path,
        headers: { ...headers, ...length },
        agent: this.#agent,
      };
      const call = request({ ...options, timeout: TIMEOUT_MS }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.once("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
        });
        response.once("error", reject);
      });
      call.once("timeout", () => call.destroy(new Error(`${method} ${path.slice(0, 200)} was not answered`)));
      // It may close before it has read a body that it refuses.
      call.once("error", (error: NodeJS.ErrnoException & { rawPacket?: Buffer }) => {
        const { code = "", rawPacket } = error;
        const cut = ["EPIPE", "ECONNRESET"].includes(code);
        if (!cut && !code.startsWith("HPE_")) return reject(error);
        // To a head that it could not read the server answers with a body: it does not know of HEAD.
        if (!cut && method !== "HEAD")
          this.#figures.wrong["an answer that is not HTTP"] ??= `${method} ${path}: ${rawPacket}`;
        resolve(CUT_OFF);
      });
      call.end(body);
    });
  }

  #tell(what: string, { method, path, headers, body }: Drawn, { status, text }: Answer): void {
    this.#figures.wrong[what] ??= JSON.stringify({
      method,
      path: path.slice(0, 500),
      headers,
      body: body?.toString("utf8").slice(0, 500),
      answer: `${status} ${text.slice(0, 500)}`,
    });
  }

  #count(counts: Record<string, number>, key: string): void {
    counts[key] = (counts[key] ?? 0) + 1;
  }

  async #memory(): Promise<Memory> {
    const before = this.#server.output().length;
    process.kill(this.#server.pid, "SIGUSR2");
    return until(() => {
      const line = /^FUZZ_MEMORY (.*)$/m.exec(this.#server.output().slice(before));
      return line === null ? undefined : (JSON.parse(line[1] as string) as Memory);
    }, "the server's memory");
  }
}
