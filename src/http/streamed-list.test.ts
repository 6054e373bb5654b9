import { once } from "node:events";
import { type AddressInfo, connect, type Socket } from "node:net";
import Fastify, { type FastifyInstance } from "fastify";
import { afterEach, beforeEach, expect, it } from "vitest";
import { eventually } from "../../test/support/until.ts";
import { silentLog } from "../lib/log.ts";
import { errorHandler } from "./error-handler.ts";
import { StreamedLists } from "./streamed-list.ts";

const BOUNDS = { readers: 2, waiting: 1, wait_ms: 60_000, idle_ms: 60_000, whole_ms: 60_000 };
const PAGES = 60;
// A page is more than sockets hold on the way.
const ROW = "x".repeat(200_000);

let app: FastifyInstance;
let made = 0;
let ended = 0;
let fails = -1;

async function* pages() {
  try {
    for (let n = 0; n < PAGES; n += 1) {
      if (n === fails) throw new Error("no");
      made += 1;
      yield Array(n % 7 === 3 ? 0 : 5).fill({ n, ROW });
    }
  } finally {
    ended += 1;
  }
}

async function start(bounds: Partial<typeof BOUNDS> = {}) {
  const lists = new StreamedLists({ ...BOUNDS, ...bounds });
  app = Fastify();
  app.setErrorHandler(errorHandler(silentLog));
  app.get("/list", (_request, reply) => lists.send(reply, pages()));
  await app.listen({ port: 0, host: "127.0.0.1" });
}
const port = () => (app.server.address() as AddressInfo).port;
async function list() {
  const response = await fetch(`http://127.0.0.1:${port()}/list`);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** A reader who asks, and then does not read. */
async function idler(): Promise<Socket> {
  const socket = connect(port(), "127.0.0.1");
  socket.on("error", () => {});
  socket.pause();
  socket.write("GET /list HTTP/1.1\r\nhost: x\r\n\r\n");
  await once(socket, "connect");
  return socket;
}

beforeEach(() => {
  made = ended = 0;
  fails = -1;
});
afterEach(() => app.close());

it("is whole JSON, whatever the pages hold, and lets the next reader in", async () => {
  await start({ readers: 1 });
  for (let n = 0; n < 3; n += 1) {
    const rows = JSON.parse((await list()).text) as { n: number }[];
    expect(rows.map((one) => one.n)).toEqual(
      Array.from({ length: PAGES }, (_, page) => Array(page % 7 === 3 ? 0 : 5).fill(page)).flat(),
    );
  }
  expect(ended).toBe(3);
});

it("is made only as fast as it is read: of who does not read few pages are in memory, and then it is cut", async () => {
  await start({ readers: 1, idle_ms: 1_500 });
  const socket = await idler();
  await eventually(async () => expect(made).toBeGreaterThan(2));
  const waits = list();
  await eventually(async () => expect(ended).toBe(1));
  // A page is 1 MB: what the kernel takes of it, and the two that are on their way.
  expect(made).toBeLessThan(20);
  expect((await waits).status).toBe(200);
  socket.destroy();
});

it("is cut after its whole time, however the reader sips", async () => {
  await start({ whole_ms: 700 });
  const socket = await idler();
  const sip = setInterval(() => socket.read(1), 50);
  await eventually(async () => expect(ended).toBe(1));
  clearInterval(sip);
  expect(made).toBeLessThan(PAGES);
  socket.destroy();
});

it("is for few at once: others wait in a short line, and who finds it full or waits too long comes again", async () => {
  await start({ readers: 2, waiting: 1, wait_ms: 300 });
  const idlers = [await idler(), await idler()];
  await eventually(async () => expect(made).toBeGreaterThan(3));
  const answers = await Promise.all([list(), list()]);
  for (const answer of answers) {
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(JSON.parse(answer.text)).toMatchObject({ code: "overloaded" });
  }
  // Who hangs up gives the place back at once.
  for (const one of idlers) one.destroy();
  await eventually(async () => expect(ended).toBe(2));
  expect((await list()).status).toBe(200);
});

it("is an error as any other where the first page fails, and breaks off where a later one does", async () => {
  await start({ readers: 1 });
  fails = 0;
  expect((await list()).status).toBe(500);
  fails = 10;
  await expect(list()).rejects.toThrow();
  fails = -1;
  expect((await list()).status).toBe(200);
});
