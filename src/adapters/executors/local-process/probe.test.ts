import { execFile } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { freePort } from "../../../../test/support/ports.ts";
import { processConfig } from "./config.ts";
import { forbiddenPort } from "./forbidden-ports.ts";
import { type Probed, sendProbe } from "./probe.ts";

const PATIENCE_MS = 60_000;
let server: Server | undefined;
afterEach(() => {
  server?.close();
  server = undefined;
});

const probe = (url: string, timeout_ms = PATIENCE_MS) => sendProbe({ url, timeout_ms, expect_status: 200 });

/** The address of a server that says this to everybody, and nothing more. */
async function saying(text: string): Promise<string> {
  server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.end(text);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What a program finds that asks after `before` was done to it, with so few files. */
async function asking(before: string, url: string, files = 1_024): Promise<Probed> {
  const code = `
    import dns from "node:dns";
    import { openSync } from "node:fs";
    import { syncBuiltinESMExports } from "node:module";
    import { sendProbe } from ${JSON.stringify(join(import.meta.dirname, "probe.ts"))};
    setInterval(() => {}, 1_000);
    // What is read once is read before.
    await sendProbe({ url: "http://127.0.0.1:1024/", timeout_ms: 60000, expect_status: 200 });
    ${before}
    const found = await sendProbe({ url: ${JSON.stringify(url)}, timeout_ms: 300, expect_status: 200 });
    process.stdout.write(JSON.stringify(found), () => process.exit());`;
  const argv = [process.execPath, "--input-type=module", "-e", code];
  const { stdout } = await promisify(execFile)("sh", ["-c", `ulimit -n ${files}; exec "$@"`, "sh", ...argv]);
  return JSON.parse(stdout) as Probed;
}

describe("what the process answers", () => {
  it.each([
    ["nothing", "", /^connection closed without an answer$/],
    ["no HTTP", "hello\r\n\r\n", /does not match the HTTP/],
    ["a header that is none", "HTTP/1.1 200 OK\r\nx: a\u0001\r\n\r\n", /does not match the HTTP/],
    ["half a body", "HTTP/1.1 200 OK\r\ncontent-length: 30\r\n\r\nhalf", /^connection closed/],
    [
      "a body that cannot be read",
      "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\nno",
      /header/,
    ],
    ["another status", "HTTP/1.1 999 What\r\ncontent-length: 0\r\n\r\n", /^answered 999 .*, not 200$/],
  ])("is its failure: %s", async (_what, text, message) => {
    expect(await probe(`http://${await saying(text)}/`)).toEqual({
      asked: true,
      ok: false,
      message: expect.stringMatching(message),
    });
  });

  it("is its failure: a refusal, also by all addresses of a name, and what is no TLS", async () => {
    const port = await freePort();
    const refused = { asked: true, ok: false, message: "connection refused" };
    expect(await probe(`http://127.0.0.1:${port}/`)).toEqual(refused);
    expect(await probe(`http://localhost:${port}/`)).toEqual(refused);
    expect(await probe(`https://${await saying("no\r\n")}/`)).toMatchObject({ asked: true, ok: false });
  });
});

describe("what we could not ask", () => {
  it.each([
    ["a name that leads nowhere", "http://no-such-host.invalid/", /no-such-host/],
    ["no route", "http://255.255.255.255/", /ENETUNREACH|EACCES/],
    ["a port that fetch does not ask", "http://127.0.0.1:6666/", /bad port/],
  ])("is not: %s", async (_what, url, message) => {
    expect(await probe(url)).toEqual({
      asked: false,
      ok: false,
      message: expect.stringMatching(new RegExp(`^cannot be called: .*(${message.source})`)),
    });
  });

  it("is not: our own file table is full", async () => {
    // A connection that was closed just before gives its file back some turns later, so the table is filled in every turn.
    const fill = `
      const fill = () => { for (;;) try { openSync("/dev/null"); } catch { break; } };
      const keepFull = () => { fill(); setImmediate(keepFull); };
      keepFull();
      for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);`;
    expect(await asking(fill, `http://${await saying("HTTP/1.1 200 OK\r\n\r\n")}/`, 64)).toMatchObject({
      asked: false,
      message: expect.stringContaining("EMFILE"),
    });
  });

  it("is not: a name that nobody resolves in time", async () => {
    const hang = "dns.promises.lookup = () => new Promise(() => {}); syncBuiltinESMExports();";
    expect(await asking(hang, "http://shop.example/")).toEqual({
      asked: false,
      ok: false,
      message: "cannot be called: shop.example was not resolved within 300 ms",
    });
  });
});

it("refuses the ports that fetch asks nobody at, and no other", async () => {
  // Whoever is asked answers at once with an error of its own.
  const dispatcher = {
    dispatch() {
      throw new Error("asked");
    },
  };
  const isAsked = async (port: number) => {
    const init = { dispatcher } as unknown as RequestInit;
    const error = await fetch(`http://127.0.0.1:${port}/`, init).catch(({ cause }) => cause);
    return (error as Error).message !== "bad port";
  };
  const ports = [
    ...Array(1_100).keys(),
    2_049,
    3_659,
    4_045,
    4_190,
    5_060,
    5_061,
    6_000,
    6_566,
    8_080,
    10_080,
  ]
    .concat(
      [...Array(100).keys()].map((port) => port + 6_620),
      [1_719, 1_720, 1_723],
    )
    .slice(1);
  const wrong = await Promise.all(
    ports.map(async (port) => (await isAsked(port)) === (forbiddenPort(`http://a:${port}/`) === undefined)),
  );
  expect(ports.filter((_port, index) => !wrong[index])).toEqual([]);
  const errorOf = (url: string) =>
    processConfig.safeParse({ name: "shop", argv: ["true"], probe: { url } }).error?.issues[0];
  expect(errorOf("http://[::1]:6666/")).toMatchObject({
    path: ["probe", "url"],
    message: expect.stringContaining("has port 6666"),
  });
  expect(errorOf("https://localhost:0/")).toBeDefined();
  expect(errorOf("http://localhost/")).toBeUndefined();
});
