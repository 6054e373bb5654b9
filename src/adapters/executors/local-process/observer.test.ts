import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freePort } from "../../../../test/support/ports.ts";
import { until } from "../../../../test/support/until.ts";
import { silentLog } from "../../../lib/log.ts";
import { type LocalProcesses, localProcess } from "./index.ts";

// A carrier is found by its execution among all processes of the machine: no other run may have these.
const RUN = `EXE-${randomUUID()}`;

const SERVICE = join(import.meta.dirname, "../../../../demo/service.ts");
/** More than any answer that comes takes. */
const PATIENCE_MS = 120_000;
const TARGET = { kind: "process", name: "demo-shop" };

let folder: string;
let local: LocalProcesses | undefined;
let server: Server | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "awoooi-observer-"));
});
afterEach(async () => {
  await local?.stop("demo-shop");
  server?.closeAllConnections();
  server?.close();
  [local, server] = [undefined, undefined];
  await rm(folder, { recursive: true, force: true });
});

function processes(more: object): LocalProcesses {
  const config = { name: "demo-shop", argv: [process.execPath, SERVICE], stop_timeout_ms: 120_000, ...more };
  const parsed = [localProcess.processConfig.parse(config)];
  local = localProcess.create(parsed, { state_dir: folder, log: silentLog });
  return local;
}

/** The demo's service, serving. What hangs is seen by a `look` with little patience. */
async function demoShop() {
  const port = await freePort();
  const starts = join(folder, "starts.jsonl");
  const probing = (timeout_ms: number) =>
    processes({
      env: { PORT: String(port), DEMO_STARTS_FILE: starts },
      probe: { url: `http://127.0.0.1:${port}/healthz`, timeout_ms },
    });
  const [hasty, shop] = [probing(300), probing(PATIENCE_MS)];
  const { pid } = await shop.start("demo-shop");
  const look = (of = shop) => of.observer.observe(TARGET, new Date());
  await until(async () => (await look()).healthy, "the shop to serve");
  return { shop, look, hastyLook: () => look(hasty), pid, starts, url: `http://127.0.0.1:${port}` };
}

/** What the probe finds of a server that answers as `listener` does. */
async function probed(listener: RequestListener, timeout_ms = PATIENCE_MS) {
  server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const one = processes({
    argv: ["sleep", "600"],
    settle_ms: 0,
    probe: { url: `http://127.0.0.1:${port}/`, timeout_ms },
  });
  await one.start("demo-shop");
  const { healthy, facts } = await one.observer.observe(TARGET, new Date());
  return { healthy, ...facts[1] };
}

describe("the demo's service", () => {
  it.each(["POST /break", "SIGUSR2"])("is seen well, broken by %s, and well again", async (how) => {
    const { shop, look, hastyLook, pid, starts, url } = await demoShop();
    const checkout = await fetch(`${url}/checkout`);
    expect(await checkout.json()).toMatchObject({ total_cents: 5_640 });
    const before = await look();
    expect(before).toMatchObject({
      healthy: true,
      facts: [
        {
          name: "process",
          passed: true,
          message: expect.stringMatching(new RegExp(`^pid ${pid}, up for \\d`)),
        },
        { name: "probe", passed: true, message: expect.stringMatching(/^answered 200 in \d+ ms$/) },
      ],
    });

    // What is at work when it breaks is answered, and its connections are lost as well.
    const count = how === "SIGUSR2" ? 0 : 4;
    const busy = Array.from({ length: count }, () =>
      fetch(`${url}/checkout`, { signal: AbortSignal.timeout(5_000) }),
    );
    if (how === "SIGUSR2") process.kill(pid, "SIGUSR2");
    else expect((await fetch(`${url}/break`, { method: "POST" })).status).toBe(202);
    await Promise.allSettled(busy);
    const broken = await until(async () => {
      const seen = await hastyLook();
      return seen.healthy === false && seen;
    }, "it to break");
    expect(broken.facts).toMatchObject([
      { name: "process", passed: true },
      { name: "probe", passed: false, message: "timed out after 300 ms" },
    ]);
    // Its event loop runs on.
    expect((await fetch(`${url}/nothing`)).status).toBe(404);
    await expect(fetch(`${url}/checkout`, { signal: AbortSignal.timeout(300) })).rejects.toThrow();

    const operation = {
      kind: "process.restart" as const,
      target: { ...TARGET, kind: "process" as const },
      parameters: {},
    };
    const run = { execution_id: `${RUN}-1`, attempt: 1, before: await shop.executor.snapshot(operation) };
    const result = await shop.executor.act(operation, run, new AbortController().signal);
    expect(result).toMatchObject({
      ok: true,
      output: expect.stringContaining(`Stopped pid ${pid} (SIGTERM, `),
    });
    await until(async () => (await look()).healthy, "the shop to serve again");
    const lines = (await readFile(starts, "utf8")).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { pid, execution_id: null },
      { execution_id: `${RUN}-1` },
    ]);
  });
});

describe("observer", () => {
  it("observes configured processes only", async () => {
    const { observer } = processes({});
    expect(observer.observes(TARGET)).toBe(true);
    expect(observer.observes({ kind: "process", name: "other" })).toBe(false);
    expect(observer.observes({ kind: "deployment", name: "demo-shop" })).toBe(false);
    await expect(observer.observe({ kind: "process", name: "other" }, new Date())).rejects.toThrow(
      "configured",
    );
  });

  it("cannot tell health without a probe, but sees that nothing runs", async () => {
    const one = processes({ argv: ["sleep", "600"], settle_ms: 0 });
    const look = () => one.observer.observe(TARGET, new Date());
    expect(await look()).toMatchObject({
      healthy: false,
      facts: [{ passed: false, message: "none is running" }],
    });
    await one.start("demo-shop");
    expect(await look()).toMatchObject({ healthy: null, facts: [{ passed: true }] });
  });

  it("does not take somebody else's answer for its process's health", async () => {
    await probed((_request, response) => response.end("well"));
    await local?.stop("demo-shop");
    expect(await local?.observer.observe(TARGET, new Date())).toMatchObject({
      healthy: false,
      facts: [{ passed: false }, { passed: true }],
    });
  });

  it.each([
    ["200", true, /^answered 200 in \d+ ms$/],
    ["503", false, /^answered 503 in \d+ ms, not 200$/],
    ["302", false, /^answered 302 in \d+ ms, not 200$/],
  ])("judges the answer %s by its status, and follows nothing", async (status, healthy, message) => {
    let requests = 0;
    const seen = await probed((_request, response) => {
      requests += 1;
      response.writeHead(Number(status), { location: "/" }).end("x");
    });
    expect(seen).toMatchObject({ healthy, passed: healthy, message: expect.stringMatching(message) });
    expect(requests).toBe(1);
  });

  it("judges an endless body by its status, and one that hangs as hanging", async () => {
    const endless = await probed((_request, response) => {
      const more = () => {
        while (!response.destroyed && response.write("x".repeat(10_000)));
      };
      response.on("drain", more);
      more();
    });
    expect(endless).toMatchObject({ healthy: true });
    await local?.stop("demo-shop");
    const hanging = await probed((_request, response) => {
      response.writeHead(200).write("x");
    }, 300);
    expect(hanging).toMatchObject({ healthy: false, message: "timed out after 300 ms" });
  });

  it("names what came instead of an answer", async () => {
    expect(await probed((request) => request.socket.destroy())).toMatchObject({
      healthy: false,
      message: "connection closed without an answer",
    });
    await local?.stop("demo-shop");
    const refused = processes({
      argv: ["sleep", "600"],
      probe: { url: `http://127.0.0.1:${await freePort()}/`, timeout_ms: PATIENCE_MS },
    });
    await refused.start("demo-shop");
    expect((await refused.observer.observe(TARGET, new Date())).facts[1]?.message).toBe("connection refused");
    const unknown = processes({
      argv: ["sleep", "600"],
      probe: { url: "http://awoooi.invalid/", timeout_ms: PATIENCE_MS },
    });
    expect(await unknown.observer.observe(TARGET, new Date())).toMatchObject({
      healthy: null,
      facts: [{}, { passed: false, message: expect.stringMatching(/^cannot be called: /) }],
    });
  });
});

describe("what is found of a process", () => {
  const NEVER = new AbortController().signal;
  const investigate = (one: LocalProcesses, now = new Date()) =>
    one.investigator.investigate(TARGET, now, NEVER);
  const codes = async (one: LocalProcesses, now?: Date) => {
    const { findings, evidence } = await investigate(one, now);
    const ids = evidence.map(({ id }) => id);
    expect(findings.flatMap((found) => found.evidence).every((id) => ids.includes(id))).toBe(true);
    return findings.map(({ code }) => code);
  };
  const later = () => new Date(Date.now() + 120_000);
  const mine = () => local as LocalProcesses;

  it("is that it looks well where its probe is answered, and how long ago it was started", async () => {
    await probed((_request, response) => response.end("well"));
    expect(await codes(mine())).toEqual(["restarted_lately", "process_healthy"]);
    const { findings, missing } = await investigate(mine(), later());
    expect(findings).toMatchObject([{ code: "process_healthy", weight: "note" }]);
    expect(findings[0]?.title).toMatch(/^demo-shop looks healthy now: its probe answered 200 in \d+ ms$/);
    expect(missing).toEqual([]);
  });

  it("is that its probe fails, or that it is suspended", async () => {
    await probed((_request, response) => response.writeHead(503).end());
    expect(await codes(mine(), later())).toEqual(["probe_failing"]);
    const { pid } = await mine().start("demo-shop");
    process.kill(pid, "SIGSTOP");
    await until(
      async () => (await codes(mine(), later())).includes("process_suspended"),
      "it to be suspended",
    );
    process.kill(pid, "SIGCONT");
  });

  it("is that another program answers where it should, and not that it looks well", async () => {
    await probed((_request, response) => response.end("somebody else"));
    await mine().stop("demo-shop");
    expect(await codes(mine(), later())).toEqual(["process_not_running", "address_taken"]);
  });

  it("is that it does not run, and never that it is well without a probe", async () => {
    const one = processes({ argv: ["sleep", "600"], settle_ms: 0 });
    expect(await codes(one)).toEqual(["process_not_running"]);
    await one.start("demo-shop");
    expect(await investigate(one, later())).toMatchObject({
      findings: [],
      evidence: [{ text: expect.stringMatching(/^pid \d+, up for /) }],
      missing: ["probe of demo-shop: none is configured, so whether it serves is unknown"],
    });
  });

  it("is that it does not run, with the last lines of its log, as they can be shown", async () => {
    const lines = "for n in $(seq 500); do printf '\\033[31mline %s\\033[0m of it\\n' $n; done";
    const one = processes({
      argv: ["/bin/sh", "-c", `${lines}; echo 'connect postgres://shop:hunter2hunter2@db/shop'; exit 3`],
      settle_ms: 60_000,
    });
    await one.start("demo-shop").catch(() => undefined);
    const { findings, evidence } = await investigate(one);
    expect(findings).toMatchObject([{ code: "process_not_running", evidence: ["E1", "E2"] }]);
    const file = join(folder, "demo-shop.log");
    expect(findings[0]?.meaning).toContain(file);
    const [first, ...rest] = evidence[1]?.text.split("\n") ?? [];
    expect(first).toBe(`${file} ends with`);
    expect(rest).toHaveLength(20);
    expect(rest[0]).toBe("line 482 of it");
    expect(rest.at(-1)).toMatch(/^connect postgres:/);
    expect(rest.at(-1)).not.toContain("hunter2hunter2");
  });
});
