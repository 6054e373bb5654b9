import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { approved, restartOf } from "../../test/support/approved.ts";
import { createDatabase, type TestDatabase } from "../../test/support/database.ts";
import { clearFolder, temporaryFolder } from "../../test/support/folder.ts";
import { capturedLog } from "../../test/support/log.ts";
import {
  GATEWAY,
  makePerson,
  type Person,
  type SetClock,
  setClock,
} from "../../test/support/pipeline-deps.ts";
import { until } from "../../test/support/until.ts";
import { type LocalProcesses, localProcess } from "../adapters/executors/local-process/index.ts";
import type { Verification } from "../contract/execution.ts";
import { attemptExecution, beginExecution, concludeExecution, freeze, unfreeze } from "../execution/index.ts";
import type { Role } from "../lib/actor.ts";
import { Supervision } from "./index.ts";

const ROLES = ["viewer", "responder", "approver", "admin"] as const;

let database: TestDatabase;
let clock: SetClock;
let folder: string;
const people = {} as Record<Role, Person>;
/** Of the latest server that a test has started. */
let local: LocalProcesses;
let supervision: Supervision;
let log: ReturnType<typeof capturedLog>;
let gateway = { ...GATEWAY };
const started: { local: LocalProcesses; supervision: Supervision }[] = [];

beforeAll(async () => {
  database = await createDatabase();
  clock = setClock();
  for (const role of ROLES) people[role] = await makePerson(database.ctx(undefined, clock), role, role);
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.forget();
  clock.forward(100_000);
  folder = await temporaryFolder("supervision");
  gateway = { ...GATEWAY };
});
afterEach(async () => {
  for (const one of started.splice(0)) {
    await one.supervision.stop();
    for (const { name } of one.local.processes) await one.local.stop(name);
  }
  await clearFolder(folder);
});

const shop = (more: object = {}) => ({
  name: "shop",
  argv: ["sleep", "600"],
  settle_ms: 0,
  watch: { interval_ms: 100 },
  ...more,
});

/** What a server does with processes when it starts, and then each second. */
async function serve(...processes: object[]): Promise<void> {
  await started.at(-1)?.supervision.stop();
  log = capturedLog();
  const stopped = new Map<string, string>();
  const own = { stopped: (name: string) => stopped.get(name), log: log.log };
  const configs = processes.map((one) => localProcess.processConfig.parse(one));
  local = localProcess.create(configs, { state_dir: folder, ...own });
  supervision = new Supervision({
    ctx: { ...database.ctx({ kind: "system", name: "sweep" }, clock), log: log.log },
    supervisor: () => local,
    gateway: () => gateway,
    again: () => 3_600,
    stopped,
  });
  started.push({ local, supervision });
  await supervision.begin();
  await second();
}
async function second(): Promise<void> {
  await supervision.tick();
  await supervision.settled();
}
/** Seconds until `holds`. */
const when = <T>(holds: () => Promise<T | undefined | false> | T | undefined | false, what: string) =>
  until(async () => {
    await second();
    return holds();
  }, what);

const as = (role: Role) => database.ctx(people[role], clock);
const ask = (to: "start" | "stop", role: Role = "approver", name = "shop") =>
  supervision.ask(as(role), { name, to });
const shown = async (name = "shop") =>
  (await supervision.list(as("viewer"))).find((one) => one.name === name);
const pid = async (name = "shop") => (await local.find(name))?.pid ?? null;
const said = () => log.lines().map(({ msg }) => msg);
type Told = {
  status: string;
  labels: Record<string, string>;
  annotations: { summary: string };
  startsAt: string;
  fingerprint: string;
};
/** What the journal was told, in its order. */
async function told(): Promise<Told[]> {
  const { rows } = await database.pool.query("select sender, body from receipts order by seq");
  return rows.map(({ sender, body }) => {
    expect(sender).toBe("awoooi");
    return JSON.parse(body.toString("utf8")).alerts[0] as Told;
  });
}
const statuses = async () => (await told()).map(({ status }) => status);
const ledger = async () =>
  (
    await database.pool.query(
      "select action, actor, data from audit_entries where action like 'process.%' order by seq desc",
    )
  ).rows as { action: string; actor: string; data: Record<string, unknown> }[];

/** A server that answers probes as it is told to. */
async function probed() {
  let status = 200;
  let asked = 0;
  let held: Promise<void> | undefined;
  let letGo = () => {};
  const server: Server = createServer(async (_request, response) => {
    asked += 1;
    await held;
    response.writeHead(status).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    probe: { url: `http://127.0.0.1:${port}/`, timeout_ms: 60_000 },
    answer: (with_status: number) => {
      status = with_status;
      asked = 0;
    },
    asked: () => asked,
    hold: () => {
      asked = 0;
      held = new Promise((resolve) => {
        letGo = resolve;
      });
    },
    letGo: () => letGo(),
    [Symbol.dispose]: () => void server.close(),
  };
}

describe("the start of a server", () => {
  it("starts what does not run, says so, and takes over what a server before it has left running", async () => {
    await serve(shop(), shop({ name: "till" }), shop({ name: "by-hand", autostart: false }));
    const first = await pid();
    expect(first).toEqual(expect.any(Number));
    expect(said()).toContain(`started process shop, pid ${first}`);
    expect(await pid("by-hand")).toBeNull();
    await local.stop("till");
    await serve(shop(), shop({ name: "till" }));
    expect(await pid()).toBe(first);
    expect(said()).toContain(`process shop is already running, pid ${first}`);
    expect(said()).toContain(`started process till, pid ${await pid("till")}`);
    expect(await shown()).toMatchObject({
      state: "running",
      pid: first,
      autostart: true,
      watched: true,
      problem: null,
    });
    expect(await told()).toEqual([]);
  });

  it("says what does not stay up, and raises it at once; what nobody starts by itself is not missed", async () => {
    await serve(shop({ argv: ["/bin/sh", "-c", "echo no disk >&2; exit 3"], settle_ms: 60_000 }));
    expect(said()).toContain("process shop was not started");
    const [alert] = await when(async () => (await told()).length > 0 && told(), "the alert");
    expect(alert?.annotations.summary).toMatch(/^shop: it is not running: .*exit code 3\s+no disk/s);
    expect(await shown()).toMatchObject({ state: "down", problem: expect.stringContaining("exit code 3") });
    await serve(shop({ name: "by-hand", autostart: false }));
    await second();
    expect(await shown("by-hand")).toMatchObject({ state: "not_running", watched: false });
    // Nobody watches the first any more.
    expect(await statuses()).toEqual(["firing", "resolved"]);
  });

  it("starts once what ends at once, whatever it prints, and although that cannot be written down for a while", async () => {
    const starts = join(folder, "starts");
    const script = `echo one >> ${starts}; printf '\\033[31mno\\033[0m di\\000sk\\n'; exit 3`;
    const sql = (text: string) => database.pool.query(text);
    await sql(
      `create function refuse() returns trigger language plpgsql as $$ begin raise 'the disk is full'; end $$`,
    );
    await sql(
      "create trigger refuse before insert or update on processes for each row execute function refuse()",
    );
    try {
      await serve(shop({ argv: ["/bin/sh", "-c", script], settle_ms: 60_000 }));
      for (let time = 0; time < 3; time += 1) await second();
    } finally {
      await sql("drop function refuse cascade");
    }
    await when(async () => (await told()).length > 0, "the alert");
    expect(await shown()).toMatchObject({
      state: "down",
      problem: expect.stringMatching(/exit code 3\s+no disk$/),
    });
    expect((await ledger()).map(({ action }) => action).slice(0, 2)).toEqual([
      "process.start_failed",
      "process.start_begun",
    ]);
    expect(readFileSync(starts, "utf8")).toBe("one\n");
  });

  it("changes nothing while changes are frozen or in shadow mode, and does it when that ends", async () => {
    await freeze(as("responder"), { why: "the disk is being swapped" });
    gateway = { ...GATEWAY, mode: "shadow" };
    await serve(shop());
    expect(await shown()).toMatchObject({ pid: null, problem: "Gate 4: in shadow mode nothing is changed" });
    gateway = { ...GATEWAY };
    const frozen = /^Gate 4: changes are frozen by responder .*: the disk is being swapped$/;
    await when(async () => frozen.test((await shown())?.problem ?? ""), "the freeze to be named");
    // It is missed all the same: it is to run.
    await when(async () => (await statuses()).length > 0, "the alert");
    await unfreeze(as("approver"));
    await when(pid, "the start");
    await when(async () => (await statuses()).at(-1) === "resolved", "the end of the alert");
    expect(await statuses()).toEqual(["firing", "resolved"]);
  });
});

describe("the list", () => {
  it("is of one look through the machine, however many processes there are", async () => {
    await serve(...Array.from({ length: 5 }, (_, at) => shop({ name: `idle-${at}`, autostart: false })));
    const { survey } = local;
    let looks = 0;
    local.survey = () => {
      looks += 1;
      return survey();
    };
    const states = (await supervision.list(as("viewer"))).map(({ state }) => state);
    expect(states).toEqual(Array.from({ length: 5 }, () => "not_running"));
    expect(looks).toBe(1);
  });
});

describe("a stop on purpose", () => {
  it("ends it, is not trouble, holds over a restart of the server and against repairs, until it is started", async () => {
    await serve(shop());
    const first = (await pid()) as number;
    expect(await ask("stop")).toMatchObject({ state: "stopping", asked_by: "approver" });
    await second();
    expect(await shown()).toMatchObject({ state: "stopped", pid: null, asked_by: "approver", problem: null });
    expect(said()).toContain(`stopped process shop, pid ${first}`);
    await serve(shop());
    await when(
      () => said().some((line) => line.startsWith("process shop is not started: it was stopped by approver")),
      "the line",
    );
    const restart = restartOf("shop");
    const { checks } = await local.executor.dryRun(restart);
    expect(checks[0]).toMatchObject({ name: "is to run", passed: false });
    const run = { execution_id: `EXE-${randomUUID()}`, attempt: 1, before: {} };
    const act = await local.executor.act(restart, run, new AbortController().signal);
    expect(act).toMatchObject({
      ok: false,
      sent: false,
      error: expect.stringContaining("stopped by approver"),
    });
    const seen = await local.observer.observe({ kind: "process", name: "shop" }, clock.now());
    expect(seen.facts[0]?.message).toMatch(/^none is running, stopped on purpose by approver at /);
    await ask("start");
    await second();
    expect(await shown()).toMatchObject({ state: "running", pid: expect.any(Number) });
    expect((await local.executor.dryRun(restart)).checks.every(({ passed }) => passed)).toBe(true);
    expect((await ledger()).map(({ action, actor }) => `${action} ${actor}`).slice(0, 6)).toEqual([
      "process.started sweep (system)",
      "process.start_begun sweep (system)",
      "process.start_asked approver",
      "process.stopped sweep (system)",
      "process.stop_begun sweep (system)",
      "process.stop_asked approver",
    ]);
    expect(await told()).toEqual([]);
  });

  it("ends the alert of one that was down", async () => {
    await serve(shop());
    process.kill((await pid()) as number, "SIGKILL");
    await when(async () => (await shown())?.state === "down", "the alert");
    await ask("stop");
    await when(async () => (await shown())?.state === "stopped", "the stop");
    expect(await statuses()).toEqual(["firing", "resolved"]);
  });

  it("keeps the alert of one that is started until it is well, and starts none that is suspended", async () => {
    await serve(shop());
    const running = (await pid()) as number;
    process.kill(running, "SIGSTOP");
    await when(async () => (await shown())?.state === "down", "the alert");
    await ask("start");
    await second();
    expect(await shown()).toMatchObject({
      state: "down",
      pid: running,
      problem: expect.stringContaining(`kill -CONT ${running}`),
    });
    expect(await statuses()).toEqual(["firing"]);
    process.kill(running, "SIGKILL");
    await until(async () => (await pid()) === null, "it to be gone");
    await ask("start");
    await when(async () => (await shown())?.state === "running", "it to be well");
    expect(await statuses()).toEqual(["firing", "resolved"]);
  });

  it("is done by the next server where this one dies in the middle", async () => {
    await serve(shop(), shop({ name: "till" }));
    await ask("stop");
    await ask("stop", "approver", "till");
    await local.stop("till");
    await serve(shop(), shop({ name: "till" }));
    expect([await pid(), await pid("till")]).toEqual([null, null]);
    expect([(await shown())?.state, (await shown("till"))?.state]).toEqual(["stopped", "stopped"]);
  });

  it.each(["start", "stop"] as const)(
    "is dropped where it waits and its process is configured no longer, a %s too",
    async (to) => {
      await serve(shop());
      const first = await pid();
      if (to === "start") {
        process.kill(first as number, "SIGKILL");
        await when(async () => (await shown())?.state === "down", "the alert");
      }
      await ask(to);
      await freeze(as("responder"), { why: "the disk is being swapped" });
      await when(async () => /frozen/.test((await shown())?.problem ?? ""), "it to wait");
      await serve();
      await unfreeze(as("approver"));
      await second();
      expect((await ledger())[0]).toMatchObject({
        action: `process.${to}_dropped`,
        data: { asked_by: "approver" },
      });
      expect(said()).toContain(
        `process shop is no longer configured: its ${to}, requested by approver, is not carried out`,
      );
      await serve(shop({ autostart: false }));
      await second();
      expect(await shown()).toMatchObject({
        state: to === "stop" ? "running" : "not_running",
        pid: to === "stop" ? first : null,
        asked_by: null,
        asked_at: null,
      });
      expect(await statuses()).toEqual(to === "stop" ? [] : ["firing", "resolved"]);
    },
  );

  it("holds where its process is configured no longer after it was done", async () => {
    await serve(shop());
    await ask("stop");
    await second();
    await serve();
    await serve(shop());
    await second();
    expect(await shown()).toMatchObject({ state: "stopped", asked_by: "approver" });
  });

  it("ends the alert of one whose start was asked for and not begun", async () => {
    await serve(shop());
    process.kill((await pid()) as number, "SIGKILL");
    await when(async () => (await shown())?.state === "down", "the alert");
    await ask("start");
    await ask("stop");
    await when(async () => (await shown())?.state === "stopped", "the stop");
    expect(await statuses()).toEqual(["firing", "resolved"]);
  });

  it("ends what has put itself into the background too, of which there is one, and which is told of", async () => {
    const script = "setsid sleep 600 >/dev/null 2>&1 & exit 0";
    await serve(shop({ argv: ["/bin/sh", "-c", script], settle_ms: 60_000 }));
    const [copy = 0] = await until(async () => (await local.copies()).get("shop"), "it to be gone");
    await when(async () => (await told()).length > 0, "the alert");
    await ask("start");
    await when(async () => (await shown())?.state === "down", "the refusal");
    expect(await shown()).toMatchObject({
      pid: null,
      copies: [copy],
      problem: expect.stringMatching(new RegExp(`not started: pid ${copy} .* in the foreground`)),
    });
    await ask("stop");
    await when(async () => (await shown())?.state === "stopped", "the stop");
    expect(await shown()).toMatchObject({ copies: [], problem: null });
    expect((await ledger())[0]).toMatchObject({ action: "process.stopped", data: { pid: copy } });
  });

  it("is that of whoever asked first, until there is something to stop again", async () => {
    await serve(shop());
    await ask("stop");
    clock.forward(10);
    await ask("stop", "admin");
    expect(await shown()).toMatchObject({ state: "stopping", asked_by: "approver" });
    await second();
    const first = await shown();
    clock.forward(10);
    expect(await ask("stop", "admin")).toEqual(first);
    expect(await shown()).toMatchObject({
      state: "stopped",
      asked_by: "approver",
      asked_at: first?.asked_at,
    });
    expect((await ledger())[0]).toMatchObject({ action: "process.stop_asked", actor: "admin" });
    await second();
    const seen = await local.observer.observe({ kind: "process", name: "shop" }, clock.now());
    expect(seen.facts[0]?.message).toContain("stopped on purpose by approver");
    // Somebody started it past us.
    await local.start("shop");
    await ask("stop", "admin");
    await when(async () => (await pid()) === null, "the stop");
    expect(await shown()).toMatchObject({ state: "stopped", asked_by: "admin" });
  });

  it("says what stands in the way", async () => {
    await serve(shop({ autostart: false, argv: ["no-such-program"] }));
    await ask("start");
    await second();
    expect((await shown())?.problem).toMatch(/ENOENT/);
  });
});

describe("who may start and stop", () => {
  it("an approver, where one signature is enough for a restart, else an admin; nobody while changes are frozen", async () => {
    await serve(shop());
    const first = await pid();
    const may = async (role: Role) =>
      ask("stop", role).then(
        () => true,
        ({ code }) => code,
      );
    expect([await may("viewer"), await may("responder")]).toEqual(["forbidden", "forbidden"]);
    gateway = { ...GATEWAY, required_signatures: { ...GATEWAY.required_signatures, medium: 2 } };
    expect(await may("approver")).toBe("forbidden");
    await freeze(as("responder"), { why: "moving" });
    await expect(ask("stop", "admin")).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("Gate 4: changes are frozen by responder"),
    });
    await second();
    expect(await pid()).toBe(first);
    await unfreeze(as("approver"));
    gateway = { ...gateway, mode: "shadow" };
    await expect(ask("stop", "admin")).rejects.toMatchObject({ code: "conflict" });
    await expect(ask("stop", "admin", "elsewhere")).rejects.toMatchObject({ code: "not_found" });
    gateway = { ...gateway, mode: "suggest" };
    // Asked before the freeze, and not begun: it waits.
    expect(await may("admin")).toBe(true);
    await freeze(as("responder"), { why: "moving" });
    await second();
    expect(await shown()).toMatchObject({
      state: "stopping",
      pid: first,
      problem: expect.stringContaining("frozen"),
    });
    await unfreeze(as("approver"));
    await when(async () => (await pid()) === null, "the stop");
    const sender = database.ctx({ kind: "sender", name: "grafana" }, clock);
    await expect(supervision.ask(sender, { name: "shop", to: "start" })).rejects.toMatchObject({
      code: "forbidden",
    });
    await expect(supervision.list(sender)).rejects.toMatchObject({ code: "forbidden" });
  });
});

describe("the watch", () => {
  it("raises a probe that fails so many times in a row, once, over restarts, and ends it when it answers", async () => {
    using site = await probed();
    const config = shop({ probe: site.probe, watch: { interval_ms: 100, failures: 3, severity: "high" } });
    await serve(config);
    await when(() => site.asked() > 0, "a look");
    site.answer(500);
    await when(() => site.asked() === 2, "two failures");
    site.answer(200);
    await when(() => site.asked() > 0, "an answer between");
    site.answer(500);
    await when(async () => (await told()).length > 0, "the alert");
    expect(site.asked()).toBe(3);
    expect(said()).toContainEqual(expect.stringMatching(/^process shop is down: its probe answered 500 /));
    const [alert] = await told();
    expect(alert).toMatchObject({
      status: "firing",
      labels: { alertname: "ServiceUnreachable", service: "shop", severity: "high" },
      startsAt: clock.now().toISOString(),
      annotations: {
        summary: expect.stringMatching(
          /^shop: its probe answered 500 in \d+ ms, not 200 \(3 times in a row\)$/,
        ),
      },
    });
    await serve(config);
    site.answer(500);
    await when(() => site.asked() > 4, "more failures");
    expect(await statuses()).toEqual(["firing"]);
    clock.forward(3_600);
    await when(async () => (await told()).length > 1, "the reminder");
    expect((await told())[1]).toEqual(alert);
    await serve(config);
    site.answer(200);
    await when(async () => (await shown())?.state === "running", "its end");
    expect(await statuses()).toEqual(["firing", "firing", "resolved"]);
    expect((await told())[2]).toMatchObject({ startsAt: alert?.startsAt, fingerprint: alert?.fingerprint });
    expect((await shown())?.probe).toMatchObject({ ok: true });
  });

  it("raises at once what has ended, and one that hangs and has no probe as patiently as a probe", async () => {
    await serve(shop(), shop({ name: "till" }), shop({ name: "quiet", watch: { enabled: false } }));
    const names = async () =>
      (await told()).map(({ labels, annotations }) => [labels.service, annotations.summary]);
    process.kill((await pid("quiet")) as number, "SIGKILL");
    process.kill((await pid()) as number, "SIGKILL");
    process.kill((await pid("till")) as number, "SIGSTOP");
    await when(async () => (await told()).length === 2, "both alerts");
    expect(await names()).toEqual([
      ["shop", "shop: it is not running"],
      ["till", expect.stringMatching(/^till: pid \d+ is suspended \(3 times in a row\)$/)],
    ]);
    expect(await shown("quiet")).toMatchObject({ state: "not_running", watched: false });
  });

  /** A restart of the shop by an execution that has acted and is not concluded. */
  async function restarted() {
    const ctx = database.ctx({ kind: "system", name: "pipeline" }, clock);
    const { approval_id } = await approved([people.approver], database, clock, restartOf("shop"));
    const options = {
      gateway: () => ({ ...gateway, executors: [local.executor] }),
      retries: 0,
      retry_wait: 0,
      busy_wait: 2,
      timeout: 60,
      deadline: 1_200,
    };
    const { execution_id } = await beginExecution(ctx, approval_id, options);
    expect(await attemptExecution(ctx, { execution_id, attempt: 1 }, options)).toMatchObject({
      kind: "acted",
    });
    return (result: Verification["result"]) => {
      const verification = { result, reason: "seen", evidence: { before: null, after: null } };
      return concludeExecution(ctx, { execution_id, verification });
    };
  }
  /** Ends it, and not by anything that the watch knows of. */
  async function dies() {
    process.kill((await pid()) as number, "SIGKILL");
    await until(async () => (await pid()) === null, "its end");
  }

  const SELDOM = { watch: { interval_ms: 600_000 } };
  /** Down, and looked at again in ten minutes. */
  async function fallen() {
    await serve(shop({ ...SELDOM, argv: ["false"], settle_ms: 60_000 }));
    await when(async () => (await told()).length > 0, "the alert");
    await serve(shop({ ...SELDOM, autostart: false }));
    await second();
    clock.forward(5);
  }

  it("looks at once at what was restarted, however seldom it looks, and ends its outage where it is well", async () => {
    await fallen();
    const conclude = await restarted();
    await conclude("success");
    await second();
    expect(await shown()).toMatchObject({ state: "running", problem: null, down_since: null });
    expect(await statuses()).toEqual(["firing", "resolved"]);
  });

  it.each([
    ["success", ["firing", "resolved", "firing"]],
    // Its incident is open: it is told there, and nothing has ended.
    ["failed", ["firing", "firing"]],
  ] as const)(
    "tells at once that it has died again after a repair whose verification said %s",
    async (result, wanted) => {
      await fallen();
      const conclude = await restarted();
      await conclude(result);
      clock.forward(5);
      await dies();
      await when(async () => (await told()).length === wanted.length, "the next alert");
      expect(await statuses()).toEqual(wanted);
      expect(await shown()).toMatchObject({ state: "down", problem: "it is not running" });
      const [first, last] = [(await told())[0], (await told()).at(-1)];
      expect(last?.startsAt === first?.startsAt).toBe(result === "failed");
      expect(last?.fingerprint).toBe(first?.fingerprint);
      // It is of that start now, and stays told.
      await serve(shop({ ...SELDOM, autostart: false }));
      await second();
      expect(await statuses()).toEqual(wanted);
    },
  );

  it("looks at once at one that was well when an execution was at it", async () => {
    await serve(shop(SELDOM));
    await second();
    const conclude = await restarted();
    await second();
    await dies();
    await conclude("inconclusive");
    await when(async () => (await told()).length > 0, "the alert");
  });

  it("does not take what it saw before a start for what is there after it", async () => {
    using site = await probed();
    await serve(shop({ probe: site.probe }));
    await dies();
    site.hold();
    await until(async () => {
      await supervision.tick();
      return site.asked() > 0;
    }, "a look");
    const conclude = await restarted();
    await conclude("success");
    site.letGo();
    await supervision.settled();
    await second();
    expect(await shown()).toMatchObject({ state: "running" });
    expect(await told()).toEqual([]);
  });

  it("takes what it could not ask for neither well nor broken, and says so", async () => {
    const away = { url: "http://no-such-host.invalid/", timeout_ms: 60_000 };
    const config = shop({ probe: away, watch: { interval_ms: 100, failures: 1 } });
    const unseen = () => said().filter((line) => /health is unknown$/.test(String(line)));
    await serve(config);
    await when(async () => (await shown())?.unseen, "it to be said");
    const before = await shown();
    for (let looks = 0; looks < 3; looks += 1) {
      clock.forward(1);
      await when(async () => (await shown())?.probe?.at === clock.now().toISOString(), "another look");
    }
    expect(await told()).toEqual([]);
    expect(unseen()).toEqual(["process shop: its health is unknown"]);
    expect(await shown()).toMatchObject({
      state: "running",
      problem: null,
      probe: { asked: false, message: expect.stringMatching(/^cannot be called: .*no-such-host/) },
      unseen: { why: expect.stringContaining("cannot be called"), since: before?.unseen?.since },
    });
    // Nobody is to forget it.
    clock.forward(3_600);
    await when(() => unseen().length === 2, "the reminder");
    // That it has ended is seen all the same, and that it is suspended.
    await dies();
    await when(async () => (await told()).length === 1, "the alert");
    expect(await shown()).toMatchObject({ state: "down", unseen: null });
  });

  it("keeps what it saw last where it cannot ask, and goes on to count when it can", async () => {
    using site = await probed();
    let answers = true;
    await serve(shop({ probe: site.probe, watch: { interval_ms: 100, failures: 2 } }));
    const own = local.probe;
    local.probe = async (name) =>
      answers ? own(name) : { asked: false, ok: false, message: "cannot be called: connect EMFILE" };
    site.answer(500);
    await when(() => site.asked() === 1, "a failure");
    answers = false;
    await when(async () => (await shown())?.unseen, "it to be said");
    expect(await told()).toEqual([]);
    answers = true;
    await when(async () => (await told()).length === 1, "the alert");
    expect(site.asked()).toBe(2);
    answers = false;
    await when(async () => (await shown())?.unseen, "it to be said again");
    expect(await shown()).toMatchObject({ state: "down" });
    clock.forward(3_600);
    await when(async () => (await told()).length === 2, "the reminder");
    answers = true;
    site.answer(200);
    await when(async () => (await shown())?.state === "running", "its end");
    expect(await statuses()).toEqual(["firing", "firing", "resolved"]);
  });

  it("keeps what a process prints from filling the disk, while it runs", async () => {
    await serve(shop({ argv: ["/bin/sh", "-c", "head -c 11000000 /dev/zero; exec sleep 600"], ...SELDOM }));
    const size = (name: string) => statSync(join(folder, name), { throwIfNoEntry: false })?.size;
    // With what was printed while it was copied.
    await when(() => (size("shop.log.1") ?? 0) >= 10 * 1024 * 1024, "the generation that is kept");
    expect(size("shop.log")).toBeLessThan(1_000_000);
    expect(said()).toContain("the log of process shop has grown past 10 MiB, and is truncated from now on");
  });

  it("follows no link and waits for no pipe in the place of a log", async () => {
    const mine = join(folder, "mine");
    writeFileSync(mine, "kept");
    symlinkSync(mine, join(folder, "shop.log"));
    execFileSync("mkfifo", [join(folder, "till.log")]);
    await serve(shop(), shop({ name: "till" }));
    expect(await shown()).toMatchObject({
      pid: null,
      problem: expect.stringContaining("could not be started"),
    });
    expect(await shown("till")).toMatchObject({ pid: null, problem: expect.stringContaining("till.log") });
    expect(readFileSync(mine, "utf8")).toBe("kept");
  });

  it("says no more of a start that was refused once it is seen well, and looks as often as is configured now", async () => {
    await serve(shop({ watch: { interval_ms: 600_000 } }));
    const running = (await pid()) as number;
    process.kill(running, "SIGSTOP");
    await until(async () => (await local.find("shop"))?.suspended, "it to be suspended");
    await ask("start");
    await second();
    expect(await shown()).toMatchObject({ problem: expect.stringContaining("is suspended") });
    process.kill(running, "SIGCONT");
    Object.assign(local.processes[0]?.watch ?? {}, { interval_ms: 1 });
    await when(async () => (await shown())?.problem === null, "it to be seen well");
  });

  it("shows a process that could not be looked up as such", async () => {
    await serve(shop());
    local.find = () => Promise.reject(new Error("EMFILE: too many open files"));
    const running = new Map([["shop", { error: "EMFILE: too many open files" }]]);
    local.survey = async () => ({ running, copies: new Map() });
    await when(async () => (await shown())?.unseen, "it to be said");
    expect(await shown()).toMatchObject({
      state: "unknown",
      unseen: { why: expect.stringContaining("EMFILE") },
    });
    expect(await told()).toEqual([]);
  });

  it("leaves alone what an execution is at, until that is over", async () => {
    using site = await probed();
    await serve(shop({ probe: site.probe }));
    const conclude = await restarted();
    await dies();
    const before = site.asked();
    await when(() => site.asked() > before + 2, "looks");
    expect(await told()).toEqual([]);
    await conclude("failed");
    await when(async () => (await told()).length > 0, "the alert");
  });
});
