import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Draw } from "./random.ts";

/** Pieces of what is sent over a socket, a little time apart; `half` closes our side after the last. */
type Conversation = { name: string; pieces: (Buffer | string)[]; half: boolean };

const PATH = "/api/v1/webhooks/alertmanager";
const head = (...lines: string[]) => `POST ${PATH} HTTP/1.1\r\nhost: x\r\n${lines.join("\r\n")}\r\n\r\n`;
const get = (path: string, ...lines: string[]) =>
  `GET ${path} HTTP/1.1\r\nhost: x\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;

const CONVERSATIONS: Record<string, (draw: Draw) => (Buffer | string)[]> = {
  "random bytes": (draw) => [draw.bytes(draw.number(1, 4_000))],
  "random bytes after a request line": (draw) => [`POST ${PATH} HTTP/1.1\r\n`, draw.bytes(500)],
  "a negative length": () => [head("content-length: -5")],
  "a length that is none": () => [head("content-length: ten")],
  "two lengths": () => [head("content-length: 3", "content-length: 5"), "{}"],
  "a length and chunks": () => [head("content-length: 3", "transfer-encoding: chunked"), "0\r\n\r\n"],
  "less than the length": () => [head("content-length: 500"), '{"alerts":['],
  "more than the length": () => [head("content-length: 2"), "{}{}{}garbage\r\n\r\n"],
  "a length beyond all numbers": () => [head("content-length: 99999999999999999999999"), "{}"],
  "a chunk of no size": () => [head("transfer-encoding: chunked"), "zz\r\n{}\r\n0\r\n\r\n"],
  "a chunk that breaks off": () => [head("transfer-encoding: chunked"), "5\r\n{"],
  "a chunk with a huge size": () => [head("transfer-encoding: chunked"), "ffffffffffffffff\r\n{}"],
  "an unknown encoding": () => [head("transfer-encoding: gzip, identity"), "{}"],
  "a slow body": (draw) => [head("content-length: 4"), "{", " ", draw.once(2) ? " }" : ""],
  "headers without an end": () => [`POST ${PATH} HTTP/1.1\r\nhost: x\r\nx-a: `, "b"],
  "huge headers": (draw) => [
    get("/api/v1/health/live", `x-a: ${"y".repeat(draw.of([1_000, 20_000, 200_000]))}`),
  ],
  "many headers": () => [get("/api/v1/health/live", ...Array.from({ length: 3_000 }, (_, n) => `x-${n}: y`))],
  "a header with control bytes": () => [get("/api/v1/health/live", "x-a: \u0001\u0000\u007f")],
  "no host": () => ["GET /api/v1/health/live HTTP/1.1\r\n\r\n"],
  "an unknown version": (draw) => [`GET / HTTP/${draw.of(["9.9", "0.9", "2.0", "1.1 1.1"])}\r\n\r\n`],
  "an unknown method": (draw) => [
    `${draw.of(["FETCH", "get", "PRI", "CONNECT", "TRACE", "M-SEARCH"])} / HTTP/1.1\r\nhost: x\r\n\r\n`,
  ],
  "a path beyond all bounds": (draw) => [get(`/${"a/".repeat(draw.of([5_000, 50_000]))}`)],
  "a path out of the root": (draw) => [
    get(
      draw.of([
        "/../../etc/passwd",
        "/api/v1/%2e%2e/%2e%2e/etc/passwd",
        "//x/y",
        "/api/v1\\..\\..",
        "*",
        "http://x/",
      ]),
    ),
  ],
  "a path with a NUL": () => [get("/api/v1/incidents/%00")],
  "pipelined requests, and garbage": () => [
    get("/api/v1/health/live").repeat(20) +
      get("/nothing") +
      head("content-length: 2") +
      "{}\u0000\u0001\r\n\r\n",
  ],
  "an upgrade": () => [
    get("/api/v1/health/live", "connection: upgrade", "upgrade: websocket", "sec-websocket-version: 13"),
  ],
  "an expectation": (draw) => [
    head(`expect: ${draw.of(["100-continue", "200-maybe"])}`, "content-length: 2"),
    "{}",
  ],
  "a TLS greeting": () => [Buffer.from("16030100a5010000a10303", "hex")],
};

/** Everything that can go wrong below HTTP, drawn. */
export function drawConversation(draw: Draw): Conversation {
  const name = draw.of(Object.keys(CONVERSATIONS));
  const pieces = CONVERSATIONS[name]?.(draw) ?? [];
  return { name, pieces, half: draw.once(2) };
}

const PATIENCE_MS = 300;

/** Says it, and returns what came back until the server closed or had nothing more to say. */
export async function converse(port: number, { pieces, half }: Conversation): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let answer = "";
  const ended = new Promise<void>((resolve) => {
    // A server that has heard enough resets the connection.
    socket.on("error", () => resolve());
    socket.on("close", () => resolve());
  });
  socket.on("data", (chunk) => {
    answer += chunk.toString("latin1");
  });
  for (const piece of pieces) {
    await written(socket, piece);
    if (pieces.length > 2) await delay(5);
  }
  if (half) socket.end();
  await Promise.race([ended, silence(socket)]);
  socket.destroy();
  return answer;
}

function written(socket: Socket, piece: Buffer | string): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) resolve();
    else socket.write(piece, () => resolve());
  });
}

/** Nothing has come for a while: such a connection waits for us, for as long as the server lets it. */
function silence(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    let timer = setTimeout(resolve, PATIENCE_MS);
    socket.on("data", () => {
      clearTimeout(timer);
      timer = setTimeout(resolve, PATIENCE_MS);
    });
  });
}
