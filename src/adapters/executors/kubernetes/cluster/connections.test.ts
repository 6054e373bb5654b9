import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import { type AddressInfo, connect, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../../test/support/folder.ts";
import { configOf } from "../../../../../test/support/kubernetes/adapter.ts";
import { until } from "../../../../../test/support/until.ts";
import { createClusters } from "./client.ts";
import { CONNECTIONS } from "./connections.ts";

type Asked = { version: string; begin: () => void; answer: () => void };

let folder: string;
let ca: string;
const sockets = new Set<Socket>();
let asked: Asked[] = [];
/** What there is to be answered, by a test or at once. */
let take: (one: Asked) => void;

/** Like an API server: it speaks both, and prefers HTTP/2. */
let server: ReturnType<typeof createSecureServer>;
const proxy = createServer();
const known = getCACertificates();
const portOf = (one: Pick<Server, "address">) => (one.address() as AddressInfo).port;

beforeAll(async () => {
  folder = await temporaryFolder("connections");
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"];
  const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  const files = ["-keyout", key, "-out", cert];
  await promisify(execFile)("openssl", ["req", "-x509", ...kind, ...files, ...subject]);
  ca = await readFile(cert, "utf8");
  server = createSecureServer({ key: await readFile(key, "utf8"), cert: ca, allowHTTP1: true });
  server.on("secureConnection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // A client that aborts may reset its connection.
    socket.on("error", () => {});
  });
  server.on("request", (request: Http2ServerRequest, response: Http2ServerResponse) => {
    request.resume();
    response.setHeader("content-type", "application/json");
    take({
      version: request.httpVersion,
      begin: () => void response.write("{"),
      answer: () => void response.end("{}"),
    });
  });
  proxy.on("connect", (_, near: Socket) => {
    const far = connect(portOf(server), "127.0.0.1", () => near.write("HTTP/1.1 200 OK\r\n\r\n"));
    far.pipe(near).pipe(far);
    for (const [one, other] of [[near, far] as const, [far, near] as const])
      one.on("error", () => {}).on("close", () => other.destroy());
  });
  for (const one of [server, proxy]) await once(one.listen(0, "127.0.0.1"), "listening");
  setDefaultCACertificates([...known, ca]);
});
afterAll(async () => {
  setDefaultCACertificates(known);
  for (const socket of sockets) socket.destroy();
  for (const one of [server, proxy]) await new Promise((resolve) => one.close(resolve));
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  asked = [];
  take = (one) => void asked.push(one);
});

const TRUSTED = () => ({ "certificate-authority-data": Buffer.from(ca).toString("base64") });

/** The adapter's own client of that server. */
async function client(more: object = TRUSTED()) {
  const file = join(folder, "kubeconfig");
  const settings = {
    clusters: [{ name: "c", cluster: { server: `https://127.0.0.1:${portOf(server)}`, ...more } }],
    users: [{ name: "u", user: { token: "secret" } }],
    contexts: [{ name: "prod", context: { cluster: "c", user: "u" } }],
    "current-context": "prod",
  };
  await writeFile(file, JSON.stringify(settings));
  return createClusters(configOf({ kubeconfig: file })).of()!;
}

describe("the connections to an API server", () => {
  it.each([
    ["with an authority of its own", TRUSTED],
    ["that is trusted whoever it is", () => ({ "insecure-skip-tls-verify": true })],
    ["of an authority that everybody knows", () => ({})],
    ["behind a proxy", () => ({ ...TRUSTED(), "proxy-url": `http://127.0.0.1:${portOf(proxy)}` })],
  ])("do not speak HTTP/2 to one %s", async (_, more) => {
    const spoken: string[] = [];
    take = ({ version, answer }) => {
      spoken.push(version);
      answer();
    };
    const cluster = await client(more());
    await cluster.raw({ path: "/version" });
    await cluster.core.listNode();
    expect(spoken).toEqual(["1.1", "1.1"]);
  });

  it("may die under requests that were aborted, and the next one goes through a new one", async () => {
    const cluster = await client();
    const stop = new AbortController();
    const path = "/api/v1/pods";
    const body = { text: "of some length ".repeat(1_000) };
    const asking = Array.from({ length: 8 }, (_, index) =>
      cluster.raw({ path, signal: stop.signal, ...(index % 2 ? { method: "POST", body } : {}) }),
    );
    const outcomes = Promise.allSettled(asking);
    await until(() => asked.length === asking.length, "all to be asked");
    // The answers to half of them have begun.
    for (const { begin } of asked.slice(4)) begin();
    stop.abort();
    for (const socket of sockets) socket.destroy();
    expect((await outcomes).map(({ status }) => status)).toEqual(asking.map(() => "rejected"));
    take = ({ answer }) => answer();
    expect(await cluster.raw({ path })).toEqual({});
  });

  it("are few, however much is asked at once, and are used again", async () => {
    const cluster = await client();
    const before = new Set(sockets);
    const own = () => [...sockets].filter((socket) => !before.has(socket)).length;
    const asking = Array.from({ length: 3 * CONNECTIONS }, () => cluster.raw({ path: "/version" }));
    const outcomes = Promise.allSettled(asking);
    await until(() => asked.length >= CONNECTIONS, "as many to be asked as may be");
    expect([asked.length, own()]).toEqual([CONNECTIONS, CONNECTIONS]);
    take = ({ answer }) => answer();
    for (const { answer } of asked) answer();
    expect((await outcomes).map(({ status }) => status)).toEqual(asking.map(() => "fulfilled"));
    expect(own()).toBeLessThanOrEqual(CONNECTIONS);
  });
});
