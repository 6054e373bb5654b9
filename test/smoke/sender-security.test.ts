import { createHmac } from "node:crypto";
import { rm } from "node:fs/promises";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningApp } from "../../src/app/app.ts";
import { configSchema } from "../../src/app/config/schema.ts";
import { alertmanagerBody } from "../support/alerts.ts";
import { ADMIN_TOKEN, type Client, databaseAt, QUICK, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { temporaryFolder } from "../support/folder.ts";
import { eventually } from "../support/until.ts";

const [OLD, NEW] = ["the-secret-of-last-year", "the-secret-of-this-year"] as const;
const TOKEN = "a-webhook-token-of-some-length";
const PASSWORD = "pass:with:colons";
const LIMIT = 200_000;
const OUTSIDE = "203.0.113.7";
const AM = "/api/v1/webhooks/alertmanager";
const ALERTS = "/api/v1/webhooks/alerts";

let database: TestDatabase;
let folder: string;
let app: RunningApp & { admin: Client };
let secrets: string[] = [OLD, NEW];
let open_reads = false;
/** 127.0.0.1 is a proxy here, and no trusted sender: whoever calls is who it says. */
const configuration = () => ({
  ...QUICK,
  data_dir: folder,
  admin_token: ADMIN_TOKEN,
  database: databaseAt(database.url),
  server: { port: 0 },
  notification: { terminal: false },
  intake: {
    ...QUICK.intake,
    body_limit: LIMIT,
    trusted_networks: ["10.0.0.0/8", "fd00::/8"],
    proxies: ["127.0.0.1", "172.31.0.0/24"],
    bearer_tokens: [TOKEN],
    basic: [{ username: "prom", password: PASSWORD }],
    hmac_secrets: secrets,
    alertmanager_api: { open_reads },
    limits: { dead_letters_per_hour: 1_000_000 },
  },
});

beforeAll(async () => {
  database = await createDatabase();
  folder = await temporaryFolder("senders");
  app = await startTestApp(database.url, folder, configuration(), {
    load: () => configSchema.parse(configuration()),
  });
});
afterAll(async () => {
  await app.stop();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

type Sent = { path?: string; method?: string; headers?: string[]; body?: Buffer | string; chunked?: boolean };

const asBytes = (body: Buffer | string) => (typeof body === "string" ? Buffer.from(body) : body);

/** Sends these very bytes, headers as they stand, and returns the statuses of all that was answered. */
async function raw(bytes: Buffer): Promise<{ statuses: number[]; text: string }> {
  const { hostname, port } = new URL(app.url);
  const socket = connect(Number(port), hostname);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  // What is refused unread is cut off: that may show as an error while it is still being written.
  socket.on("error", () => {});
  socket.write(bytes);
  await closed;
  const text = Buffer.concat(chunks).toString("latin1");
  return { statuses: [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1])), text };
}

function callBytes({ path = AM, method = "POST", headers = [], body = "{}", chunked = false }: Sent): Buffer {
  const bytes = asBytes(body);
  const length = chunked ? "transfer-encoding: chunked" : `content-length: ${bytes.length}`;
  const type = headers.some((one) => /^content-type:/i.test(one)) ? [] : ["content-type: application/json"];
  const head = [
    `${method} ${path} HTTP/1.1`,
    "host: awoooi",
    "connection: close",
    length,
    ...type,
    ...headers,
  ];
  const content = chunked
    ? Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n0\r\n\r\n")])
    : bytes;
  // Latin-1 is what headers are on the wire; what is beyond goes as UTF-8, as careless clients send it.
  const line = (text: string) => Buffer.from(text, /^[\0-\xff]*$/.test(text) ? "latin1" : "utf8");
  return Buffer.concat([...head.map((one) => line(`${one}\r\n`)), Buffer.from("\r\n"), content]);
}

const status = async (sent: Sent) => (await raw(callBytes(sent))).statuses[0];
const from = (...hops: string[]) => hops.map((hop) => `x-forwarded-for: ${hop}`);
const journalled = async () =>
  Number((await database.pool.query("select count(*) n from receipts")).rows[0].n);

/** Each of these is refused with this status, and nothing of it is written down. */
async function allRefused(calls: readonly (readonly [string, Sent])[], ...expected: number[]): Promise<void> {
  const before = await journalled();
  for (const [what, sent] of calls) {
    const got = await status(sent);
    expect([what, expected.includes(got ?? 0) ? "refused" : got]).toEqual([what, "refused"]);
  }
  expect(await journalled()).toBe(before);
}

describe("a forged address", () => {
  it("of somebody behind the proxy is not believed, in whatever header and form", async () => {
    const forged = [
      from(OUTSIDE),
      from(`10.1.1.1, ${OUTSIDE}`),
      // The outsider's own header, and the one that the proxy adds.
      from("10.1.1.1", OUTSIDE),
      from(`10.1.1.1,${OUTSIDE}`, "172.31.0.9"),
      from(`10.1.1.1 , ${OUTSIDE} , 172.31.0.9 `),
      from(`::ffff:10.1.1.1, ::ffff:${OUTSIDE}`),
      from(""),
      from(" , "),
      from("10.1.1.1,"),
      from("10.1.1.1\u00a0"),
      from("１０.1.1.1"),
      from("10.1.1.1:80"),
      from("[fd00::1]"),
      from('"10.1.1.1"'),
      from("for=10.1.1.1"),
      from("10.1"),
      from("0x0a.1.1.1"),
      from("012.1.1.1"),
      from("167837953"),
      from("localhost"),
      from("fd00::1%25eth0::"),
      from("127.0.0.1"),
      ["forwarded: for=10.1.1.1"],
      ["x-real-ip: 10.1.1.1"],
      [
        "x-real-ip: 10.1.1.1",
        "forwarded: for=10.1.1.1",
        "x-client-ip: 10.1.1.1",
        "cf-connecting-ip: 10.1.1.1",
      ],
      ["x-forwarded-for : 10.1.1.1"],
      ["x_forwarded_for: 10.1.1.1"],
      [],
    ];
    await allRefused(
      forged.map((headers) => [headers.join("; "), { headers }] as const),
      403,
      400,
    );
  });

  it("is what the proxy says it is, for those inside", async () => {
    for (const headers of [
      from("10.1.1.1"),
      from(`${OUTSIDE}, 10.1.1.1`),
      from(OUTSIDE, "10.1.1.1"),
      from("10.1.1.1, 172.31.0.8"),
      from("::ffff:10.1.1.1"),
      from("fd00::5"),
      ["X-FORWARDED-FOR:   10.1.1.1  "],
    ])
      expect([headers, await status({ headers })]).toEqual([headers, 200]);
  });
});

describe("credentials", () => {
  const basic = (pair: string) => `Basic ${Buffer.from(pair).toString("base64")}`;
  const outside = (authorization: string) => [...from(OUTSIDE), `authorization: ${authorization}`];

  it("that look like the right ones are wrong", async () => {
    const wrong = [
      `Bearer ${TOKEN.replace("a", "а")}`,
      `Bearer ${TOKEN.replace("k", "ｋ")}`,
      `Bearer ${TOKEN}\u200b`,
      `Bearer ${TOKEN}\u00a0`,
      `Bearer ${TOKEN.toUpperCase()}`,
      `Bearer "${TOKEN}"`,
      `Bearer ${TOKEN},`,
      `Bearer ${TOKEN} ${TOKEN}`,
      `Bearer\t${TOKEN}`,
      `Bеarer ${TOKEN}`,
      basic("prom:pass"),
      basic("prom:pass:with"),
      basic("prom:pass:with:colons\n"),
      basic("prom:pass:with:colons:"),
      basic("prom\0:pass:with:colons"),
      basic("рrom:pass:with:colons"),
      basic("prom:ｐass:with:colons"),
      `Basic prom:${PASSWORD}`,
      `Basic ${Buffer.from(`prom:${PASSWORD}`).toString("hex")}`,
      "Basic ====",
      "Basic",
      "",
    ];
    await allRefused(
      wrong.map((one) => [one, { headers: outside(one) }] as const),
      401,
    );
    await allRefused(
      [
        ["the token as a header of its own", { headers: [...from(OUTSIDE), `x-api-key: ${TOKEN}`] }],
        ["the token in the address", { path: `${AM}?token=${TOKEN}`, headers: from(OUTSIDE) }],
        [
          "a header name with a Cyrillic letter",
          { headers: [...from(OUTSIDE), `аuthorization: Bearer ${TOKEN}`] },
        ],
      ],
      403,
      400,
    );
    // What HTTP takes off the end of every header is no part of a token.
    expect(await status({ headers: outside(`Bearer ${TOKEN}  \t`) })).toBe(200);
    expect(await status({ headers: outside(basic(`prom:${PASSWORD}`)) })).toBe(200);
  });

  it("do not sign: what must be signed is not admitted by a token, nor what is inside by its address", async () => {
    await allRefused(
      [
        ["a token", { path: ALERTS, headers: outside(`Bearer ${TOKEN}`) }],
        ["an address inside", { path: ALERTS, headers: from("10.1.1.1") }],
        [
          "a signature where none counts",
          { headers: [...from(OUTSIDE), `x-signature-256: ${signed(NEW, "{}")}`] },
        ],
      ],
      401,
      403,
    );
  });
});

describe("a web page that is open in a browser inside", () => {
  const PATHS = ["alertmanager", "grafana", "signoz", "signoz/alert", "uptime-kuma"];
  const EVERYWHERE = [...PATHS.map((path) => `/api/v1/webhooks/${path}`), "/api/v2/alerts"];
  const body = JSON.stringify(alertmanagerBody([{ labels: { alertname: "FromPage" } }]));
  const inside = (...headers: string[]) => [...from("10.1.1.1"), ...headers];

  it("sends no alert, on any path where an address speaks, and is counted", async () => {
    for (const path of EVERYWHERE) {
      const sent = (...headers: string[]) => ({ path, body, headers: inside(...headers) });
      await allRefused(
        [
          [`${path}: an origin`, sent("origin: https://evil.example")],
          [`${path}: no origin that it would name`, sent("origin: null")],
          [`${path}: another site`, sent("sec-fetch-site: cross-site")],
          [`${path}: a form`, sent("origin: https://evil.example", "content-type: text/plain")],
        ],
        403,
      );
      await allRefused(
        [
          [`${path}: text`, sent("content-type: text/plain")],
          [`${path}: form`, sent("content-type: application/x-www-form-urlencoded")],
          [`${path}: no type`, sent("content-type:")],
        ],
        415,
      );
    }
    await eventually(async () => {
      const { items } = await app.admin.get<{ items: { reason: string; source: string }[] }>(
        "/sources/refused?reason=from_web_page",
      );
      const sources = ["alertmanager", "grafana", "prometheus", "signoz", "uptime-kuma"];
      expect([...new Set(items.map((one) => one.source))].sort()).toEqual(sources);
    });
  });

  it("is told what to do instead", async () => {
    const form = callBytes({ body, headers: inside("content-type: application/x-www-form-urlencoded") });
    expect((await raw(form)).text).toContain("-H 'Content-Type: application/json'");
    const page = callBytes({ body, headers: inside("origin: https://evil.example") });
    expect((await raw(page)).text).toMatch(/web page.*Authorization: Bearer TOKEN/);
  });

  it("reads no metrics by the address of its browser, and a program there does", async () => {
    const read = (...headers: string[]) => status({ path: "/metrics", method: "GET", body: "", headers });
    expect(await read()).toBe(200);
    expect(await read("sec-fetch-site: none")).toBe(200);
    expect(await read("origin: https://evil.example")).toBe(401);
    expect(await read("sec-fetch-site: cross-site")).toBe(401);
  });
});

describe("Alertmanager's API", () => {
  const READS = ["alerts", "status", "receivers", "silences", "alerts?filter=a%3Db"];
  const bearer = `authorization: Bearer ${TOKEN}`;
  const read = (path: string, ...headers: string[]) =>
    status({ path: `/api/v2/${path}`, method: "GET", body: "", headers });

  it("is read by people with a token; by whoever may send only where that is set, and never by a web page", async () => {
    const eve = await app.admin.post<{ token: string }>("/tokens", { name: "eve", role: "viewer" });
    const person = `authorization: Bearer ${eve.token}`;
    for (const path of READS) {
      expect([path, await read(path, ...from("10.1.1.1"))]).toEqual([path, 401]);
      expect([path, await read(path, ...from(OUTSIDE), bearer)]).toEqual([path, 401]);
      expect([path, await read(path, ...from(OUTSIDE), person)]).toEqual([path, 200]);
    }
    open_reads = true;
    await app.reload();
    for (const path of READS) {
      expect([path, await read(path, ...from("10.1.1.1"))]).toEqual([path, 200]);
      expect([path, await read(path, ...from(OUTSIDE), bearer)]).toEqual([path, 200]);
      expect([path, await read(path, ...from(OUTSIDE), person)]).toEqual([path, 200]);
      expect([path, await read(path, ...from(OUTSIDE))]).toEqual([path, 403]);
      expect([path, await read(path, ...from(OUTSIDE), "authorization: Bearer wrong")]).toEqual([path, 401]);
      for (const page of ["origin: https://evil.example", "sec-fetch-site: cross-site"])
        expect([path, await read(path, ...from("10.1.1.1"), page)]).toEqual([path, 403]);
    }
    const silence = { path: "/api/v2/silences", body: "{}" };
    for (const headers of [from("10.1.1.1"), [...from(OUTSIDE), bearer]])
      expect(await status({ ...silence, headers })).toBe(401);
    open_reads = false;
    await app.reload();
    expect(await read("alerts", ...from("10.1.1.1"))).toBe(401);
  });
});

function signed(secret: string, body: Buffer | string): string {
  return `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
}

describe("a signature", () => {
  const body = JSON.stringify({ alert_type: "disk_full", target_resource: "backup-host" });
  const headers = (signature: string) => [...from(OUTSIDE), `x-signature-256: ${signature}`];
  const right = signed(NEW, body);
  const send = (signature: string, sent: Sent = {}) => ({
    path: ALERTS,
    body,
    headers: headers(signature),
    ...sent,
  });

  it("of either of two secrets is right, and of one that a reload took away at once wrong", async () => {
    expect(await status(send(signed(OLD, body)))).toBe(200);
    expect(await status(send(right))).toBe(200);
    secrets = [NEW];
    await app.reload();
    await allRefused([["the secret of before", send(signed(OLD, body))]], 401);
    expect(await status(send(right))).toBe(200);
  });

  it("is of this very body, of a secret of ours, whole and alone", async () => {
    const hex = right.slice(7);
    const digits = [...hex].map((digit) => String.fromCodePoint(digit.charCodeAt(0) + 0xfee0)).join("");
    const wrong: [string, Sent][] = [
      ["another body", send(right, { body: `${body} ` })],
      ["another body of the same length", send(right, { body: body.replace("full", "fall") })],
      ["no body", send(right, { body: "" })],
      ["another secret", send(signed("another", body))],
      ["no secret", send(signed("", body))],
      ["empty", send("")],
      ["nothing", { path: ALERTS, body, headers: from(OUTSIDE) }],
      ["only its prefix", send("sha256=")],
      ["no prefix", send(hex)],
      ["another prefix", send(`sha1=${hex}`)],
      ["a digit less", send(right.slice(0, -1))],
      ["a digit more", send(`${right}0`)],
      ["full-width digits", send(`sha256=${digits}`)],
      ["a Cyrillic letter", send(right.replace(/[ace]/, (one) => ({ a: "а", c: "с", e: "е" })[one] ?? one))],
      ["a zero-width space", send(`sha256=\u200b${hex}`)],
      ["a zero-width space in the middle", send(`${right.slice(0, 20)}\u200b${right.slice(20)}`)],
      ["two headers, both right", send(right, { headers: [...headers(right), `x-signature-256: ${right}`] })],
      [
        "two headers, one right",
        send(right, { headers: [...headers(signed("x", body)), `x-signature-256: ${right}`] }),
      ],
      ["two in one header", send(`${right},${right}`)],
      [
        "another header",
        { path: ALERTS, body, headers: [...from(OUTSIDE), `x-hub-signature-256: ${right}`] },
      ],
      [
        "a header name with a look-alike",
        { path: ALERTS, body, headers: [...from(OUTSIDE), `х-signature-256: ${right}`] },
      ],
      ["in the address", { path: `${ALERTS}?x-signature-256=${right}`, body, headers: from(OUTSIDE) }],
    ];
    await allRefused(wrong, 401, 400);
    expect(await status(send(right.toUpperCase()))).toBe(200);
  });

  it("is of the bytes on the wire: what says that it is packed is never unpacked", async () => {
    const megabyte = gzipSync(Buffer.alloc(1_000_000, "{"));
    const bomb = Buffer.concat(Array<Buffer>(150).fill(megabyte));
    const before = process.memoryUsage().rss;
    await allRefused(
      [
        [
          "a bomb, signed",
          { path: ALERTS, body: bomb, headers: [...headers(signed(NEW, bomb)), "content-encoding: gzip"] },
        ],
        ["a bomb from inside", { body: bomb, headers: [...from("10.1.1.1"), "content-encoding: gzip"] }],
        [
          "signed before it was packed",
          send(right, { body: gzipSync(body), headers: [...headers(right), "content-encoding: gzip"] }),
        ],
      ],
      400,
      401,
    );
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
  });
});

describe("a body", () => {
  it("over the limit is refused, whether or not it says how long it is", async () => {
    const large = `"${"x".repeat(LIMIT)}"`;
    await allRefused([["with a length", { body: large, headers: from("10.1.1.1") }]], 413);
    await allRefused([["in chunks", { body: large, headers: from("10.1.1.1"), chunked: true }]], 413);
    await allRefused(
      [["in chunks, from a stranger", { body: large, headers: from(OUTSIDE), chunked: true }]],
      403,
    );
    const small = JSON.stringify(alertmanagerBody([{ labels: { alertname: "InChunks" } }]));
    expect(await status({ body: small, headers: from("10.1.1.1"), chunked: true })).toBe(200);
  });

  it("holds no second request: what says its length twice is none", async () => {
    const hidden = callBytes({ headers: from("10.1.1.1"), body: JSON.stringify({ smuggled: true }) });
    const before = await journalled();
    for (const headers of [
      ["transfer-encoding: chunked"],
      ["transfer-encoding: identity"],
      ["transfer-encoding: chunked, identity"],
      ["Transfer-Encoding: xchunked"],
      ["content-length: 0"],
      ["transfer-encoding:\u000bchunked"],
    ]) {
      const bytes = callBytes({
        headers: [...from(OUTSIDE), ...headers],
        body: Buffer.concat([Buffer.from("0\r\n\r\n"), hidden]),
      });
      const { statuses } = await raw(bytes);
      expect([headers, statuses.filter((one) => one < 300)]).toEqual([headers, []]);
    }
    expect(await journalled()).toBe(before);
  });
});

describe("a path, a method and a host", () => {
  it("are what they are: no other way leads to a webhook or past its check", async () => {
    const paths = [
      "/api/v1/webhooks/../webhooks/alerts",
      "/api/v1/webhooks/./alerts",
      "/api/v1/webhooks//alerts",
      "//api/v1/webhooks/alerts",
      "/api/v1/webhooks%2falerts",
      "/api/v1/webhooks/alerts/",
      "/api/v1/webhooks/Alerts",
      "/API/v1/webhooks/alerts",
      "/api/v1/webhooks/alerts;x=alertmanager",
      "/api/v1/webhooks/alerts%00",
      "/api/v1/webhooks/%61lerts%20",
      "/api/v1/webhooks/alertmanager/../alerts",
      "/api/v1/webhooks/ａlerts",
    ];
    await allRefused(
      paths.map((path) => [path, { path, headers: from("10.1.1.1") }] as const),
      404,
      400,
      401,
    );
    // Decoded it is the route, and checked as the route is.
    await allRefused([["%61lerts", { path: "/api/v1/webhooks/%61lerts", headers: from("10.1.1.1") }]], 401);
    const override = ["x-http-method-override: POST", "x-method-override: POST", "x-http-method: POST"];
    await allRefused(
      ["GET", "PUT", "DELETE", "PATCH"].map(
        (method) => [method, { method, headers: [...from("10.1.1.1"), ...override] }] as const,
      ),
      405,
    );
    await allRefused(
      [
        [
          "a stranger who overrides",
          { headers: [...from(OUTSIDE), "x-original-url: /api/v1/health", "x-rewrite-url: /metrics"] },
        ],
      ],
      403,
    );
  });

  it("are not believed where they are odd", async () => {
    for (const host of ["", "10.1.1.1", "awoooi, evil", "a".repeat(300), "127.0.0.1@10.1.1.1", "../.."]) {
      const text = callBytes({ headers: from(OUTSIDE) })
        .toString("latin1")
        .replace("host: awoooi", `host: ${host}`);
      const { statuses } = await raw(Buffer.from(text, "latin1"));
      expect([host, [400, 403].includes(statuses[0] ?? 0)]).toEqual([host, true]);
    }
    const absolute = callBytes({ path: `http://10.1.1.1${AM}`, headers: from(OUTSIDE) });
    expect((await raw(absolute)).statuses.filter((one) => one < 300)).toEqual([]);
  });
});

describe("the answer to a sender", () => {
  it("has no headers for browsers, which cost each call; every other answer has them", async () => {
    const browser = /content-security-policy|strict-transport-security/i;
    expect((await raw(callBytes({ headers: from("10.1.1.1") }))).text).not.toMatch(browser);
    expect((await raw(callBytes({ path: "/api/v1/nothing" }))).text).toMatch(browser);
    expect((await raw(callBytes({ method: "GET", path: "/api/v1/health/live" }))).text).toMatch(browser);
  });

  it("closes the connection on a large body that is not read, and on no small one", async () => {
    const call = (body: string) =>
      fetch(`${app.url}${AM}`, { method: "POST", body }).then((one) => one.headers.get("connection"));
    expect(await call("{}")).toBe("keep-alive");
    expect(await call(`"${"x".repeat(60_000)}"`)).toBe("close");
  });
});
