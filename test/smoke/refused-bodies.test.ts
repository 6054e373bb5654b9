import { execFile } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningApp } from "../../src/app/app.ts";
import { type Client, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { temporaryFolder } from "../support/folder.ts";

const LIMIT = 100_000;
const LARGE = Buffer.alloc(8 * 1024 * 1024, "x");
const WEBHOOK = "/api/v1/webhooks/alertmanager";

let database: TestDatabase;
let folder: string;
let app: RunningApp & { admin: Client };

beforeAll(async () => {
  database = await createDatabase();
  folder = await temporaryFolder("refused");
  app = await startTestApp(database.url, folder, { env: "prod", intake: { body_limit: LIMIT } });
});
afterAll(async () => {
  await app.stop();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

const json = { "content-type": "application/json" };
type Sent = {
  path?: string;
  method?: string;
  headers?: Record<string, string>;
  body?: Buffer;
  stream?: boolean;
};

/** The status, or what the sender saw in its place. */
async function sent({
  path = WEBHOOK,
  method = "POST",
  headers = {},
  body = LARGE,
  stream = false,
}: Sent = {}) {
  const pieces = async function* () {
    for (let at = 0; at < body.length; at += 65_536) yield body.subarray(at, at + 65_536);
  };
  try {
    const response = await fetch(`${app.url}${path}`, {
      method,
      headers: { ...json, ...headers },
      ...(stream ? { body: ReadableStream.from(pieces()), duplex: "half" } : { body }),
    } as RequestInit);
    const problem = (await response.json()) as { status: number };
    return problem.status === response.status ? response.status : "no problem";
  } catch (error) {
    return (error as { cause?: { code?: string } }).cause?.code ?? String(error);
  }
}

/** A sender that does not close because we do. */
function deaf() {
  const { hostname, port } = new URL(app.url);
  return connect({ port: Number(port), host: hostname, allowHalfOpen: true });
}

/** Writes without end, or until it is cut off; what was answered, and how much was taken. */
async function endless(pause: number, piece = Buffer.alloc(65_536, "x")) {
  const socket = deaf();
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
  });
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.write(
    `POST ${WEBHOOK} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9000000000\r\n\r\n`,
  );
  const write = () => {
    if (socket.destroyed) return;
    socket.write(piece, () => (pause === 0 ? setImmediate(write) : setTimeout(write, pause)));
  };
  write();
  await closed;
  return { text, bytes: socket.bytesWritten };
}

describe("who is answered while a body is still being sent", () => {
  it("sees the answer every time: too large, whatever it says of its length", async () => {
    const answers: unknown[] = [];
    for (let n = 0; n < 40; n += 1) answers.push(await sent({ stream: n % 4 === 3 }));
    expect(answers).toEqual(Array(40).fill(413));
  });

  it("sees it of every refusal, on every route", async () => {
    const forwarded = { "x-forwarded-for": "203.0.113.9" };
    const token = { authorization: "Bearer wrong" };
    const admin = { authorization: "Bearer test-admin-token-of-forty-characters-long" };
    const cases: [number, Sent][] = [
      [401, { path: "/api/v1/silences" }],
      [401, { path: "/api/v2/silences" }],
      [401, { headers: { ...forwarded, ...token } }],
      [403, { headers: forwarded }],
      [403, { headers: { origin: "https://evil.example" } }],
      [403, { path: "/api/v1/webhooks/alerts", headers: { "x-signature-256": `sha256=${"0".repeat(64)}` } }],
      [405, { path: "/api/v1/alerts", headers: admin }],
      [413, { path: "/api/v1/silences", headers: admin }],
      [415, { headers: { "content-type": "text/plain" } }],
      [413, { headers: { "content-encoding": "gzip" }, body: gzipSync(randomish(4_000_000), { level: 0 }) }],
    ];
    for (const [expected, one] of cases)
      for (const stream of [false, true, false]) {
        const got = await sent({ ...one, stream });
        // Alertmanager's own API answers with a text, not a problem.
        expect([one, got]).toEqual([one, one.path === "/api/v2/silences" ? "no problem" : expected]);
      }
  });

  it("sees it also where it reads only when it has sent everything, and with curl", async () => {
    for (let n = 0; n < 5; n += 1) {
      const socket = deaf();
      const chunks: Buffer[] = [];
      socket.pause();
      const done = new Promise<void>((resolve, reject) => socket.once("end", resolve).once("error", reject));
      const head = `POST ${WEBHOOK} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${LARGE.length}\r\n\r\n`;
      await new Promise((resolve) => socket.write(Buffer.concat([Buffer.from(head), LARGE]), resolve));
      socket.on("data", (chunk) => chunks.push(chunk)).resume();
      await done;
      expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 413 [\s\S]*connection: close/i);
      socket.destroy();
    }
    const file = join(folder, "large");
    await writeFile(file, LARGE);
    const curl = ["-sS", "-o", "/dev/null", "-w", "%{http_code}", "-H", "content-type: application/json"];
    for (const more of [[], ["-H", "expect:"], ["-H", "transfer-encoding: chunked"], ["-0"]]) {
      const args = [...curl, ...more, "--data-binary", `@${file}`, `${app.url}${WEBHOOK}`];
      expect([more, (await promisify(execFile)("curl", args)).stdout]).toEqual([more, "413"]);
    }
  });

  it("is cut off when it never stops, fast or slow", async () => {
    const [fast, slow] = await Promise.all([endless(0), endless(50, Buffer.from("x"))]);
    expect(fast.text).toMatch(/^HTTP\/1\.1 413 /);
    expect(slow.text).toMatch(/^HTTP\/1\.1 413 /);
    expect(slow.bytes).toBeLessThan(10_000);
  });

  it("is given nothing more on that connection: what it sends behind the body is not heard", async () => {
    const socket = deaf();
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    socket.on("error", () => {});
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    const body = Buffer.alloc(LIMIT + 1, "x");
    const behind = '[{"labels":{"alertname":"Behind"}}]';
    const head = (path: string, length: number) =>
      Buffer.from(
        `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`,
      );
    socket.write(head(WEBHOOK, body.length));
    await new Promise<void>((resolve) => socket.once("data", () => resolve()));
    socket.write(Buffer.concat([body, head("/api/v2/alerts", behind.length), Buffer.from(behind)]));
    // That the other side is gone is seen by who writes.
    const knock = setInterval(() => socket.write(" "), 20);
    await closed;
    clearInterval(knock);
    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((one) => one[1])).toEqual(["413"]);
    expect((await database.pool.query("select 1 from receipts")).rowCount).toBe(0);
  });

  it("keeps its connection where the rest is small", async () => {
    const socket = deaf();
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    const one = "POST /api/v1/silences HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello";
    socket.once("end", () => socket.end());
    socket.write(one + one.replace("\r\nhost", "\r\nconnection: close\r\nhost"));
    await new Promise<void>((resolve) => socket.once("close", () => resolve()));
    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1])).toEqual(["401", "401"]);
  });
});

/** Bytes that do not pack. */
function randomish(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 1) bytes[at] = (at * 2_654_435_761) >>> 13;
  return bytes;
}
