import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { alertmanagerBody, post } from "../support/alerts.ts";
import { approvalIn, QUICK } from "../support/app.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { freePort } from "../support/ports.ts";
import { type Server, ServerFailed, startServer } from "../support/server.ts";
import { eventually, until } from "../support/until.ts";

let folder: string;
let server: Server | undefined;

beforeEach(async () => {
  folder = await temporaryFolder("faults");
});
afterEach(async () => {
  await server?.kill();
  server = undefined;
  await clearFolder(folder);
});

async function start(settings: Record<string, unknown> = {}): Promise<Server> {
  const port = await freePort();
  server = await startServer(folder, {
    ...QUICK,
    server: { port, log_level: "warn" },
    notification: { terminal: false },
    ...settings,
  });
  return server;
}

const postmaster = async () =>
  Number((await readFile(join(folder, "data/postgres/postmaster.pid"), "utf8")).split("\n")[0]);

let count = 0;
/** Sends an alert of its own, with so many bytes that nothing makes shorter; the answer, and what names it. */
async function send(
  { url }: Server,
  bytes = 0,
): Promise<{ status: number; retry: string | null; name: string }> {
  count += 1;
  const name = `Alert${count}`;
  const summary = randomBytes(bytes / 2).toString("hex");
  const response = await fetch(`${url}/api/v1/webhooks/alertmanager`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(alertmanagerBody([{ labels: { alertname: name, service: name }, summary }])),
  });
  await response.body?.cancel();
  return { status: response.status, retry: response.headers.get("retry-after"), name };
}

/** Which of these alerts have an incident. */
async function known({ admin }: Server): Promise<string[]> {
  const names: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const after: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page: { items: { title: string }[]; next_cursor: string | null } = await admin.get(
      `/incidents?limit=200${after}`,
    );
    names.push(...page.items.map((item) => item.title.split(":")[0] as string));
    cursor = page.next_cursor;
  }
  return names.sort();
}

/** Sends until an answer has this status; returns the names of what was acknowledged on the way. */
async function sendUntil(to: Server, status: number, bytes = 0): Promise<string[]> {
  const acknowledged: string[] = [];
  await until(async () => {
    const answer = await send(to, bytes);
    if (answer.status === 200) acknowledged.push(answer.name);
    if (answer.status !== 200) expect([503, Number(answer.retry) > 0]).toEqual([answer.status, true]);
    return answer.status === status;
  }, `an answer of ${status}`);
  return acknowledged;
}

/** Every acknowledged alert has its incident, once. What was refused may be there too: its commit was in doubt. */
async function holdsAll(running: Server, acknowledged: readonly string[]): Promise<void> {
  await until(async () => {
    const names = await known(running);
    return acknowledged.every((name) => names.filter((one) => one === name).length === 1);
  }, "every acknowledged alert to be there once");
}

describe("faults", () => {
  it("refuses a second server on the same data, naming the first one's pid, and does it no harm", async () => {
    const first = await start();
    const other = temporaryFolder("second");
    const settings = { ...QUICK, data_dir: join(folder, "data"), server: { port: 0 } };
    const refusal = await startServer(await other, settings).then(
      () => undefined,
      (error: ServerFailed) => error,
    );
    await clearFolder(await other);
    expect(refusal).toBeInstanceOf(ServerFailed);
    expect(refusal?.code).toBe(5);
    expect(refusal?.message).toContain(`pid ${first.pid}`);
    expect((await send(first)).status).toBe(200);
  });

  it("stops in order, with its database, and starts again with what it had", async () => {
    const first = await start();
    const { name } = await send(first);
    const pid = await postmaster();
    expect(await first.stop()).toBe(0);
    expect(() => process.kill(pid, 0)).toThrow();
    const second = await start();
    expect(await known(second)).toEqual([name]);
  });

  it("stops at once in the middle of a repair, and goes on with it at the next start", async () => {
    const processes = [{ name: "shop", argv: ["/bin/sleep", "300"] }];
    const settings = { processes, verification: { ...QUICK.verification, wait: "3s", collect: "1s" } };
    const first = await start(settings);
    const { body } = await post(
      first.url,
      alertmanagerBody([{ labels: { alertname: "ShopDown", service: "shop" } }]),
    );
    const incident_id = body.incident_id as string;
    const { approval_id, plan_hash } = await approvalIn(first.admin, incident_id, "pending");
    await first.admin.post(`/approvals/${approval_id}/approve`, { plan_hash });
    type Execution = { status: string; attempts: number; verification: { result: string } | null };
    const execution = async ({ admin }: Server) =>
      (await admin.get<{ items: Execution[] }>(`/incidents/${incident_id}/executions`)).items[0];
    await until(async () => (await execution(first))?.status === "verifying", "the repair to be under way");
    expect(await first.stop()).toBe(0);
    const second = await start(settings);
    const ended = await until(async () => {
      const found = await execution(second);
      return found?.verification ? found : undefined;
    }, "the repair to be verified");
    // Nothing probes the process: what became of it is for people to say.
    expect(ended).toMatchObject({ status: "failed", attempts: 1, verification: { result: "inconclusive" } });
    const { pid } = JSON.parse(await readFile(join(folder, "data/processes/shop.json"), "utf8")) as {
      pid: number;
    };
    process.kill(pid, "SIGKILL");
  });

  it("answers 503 while the database is dead, and goes on when it is back", async () => {
    const running = await start();
    const before = await send(running);
    process.kill(await postmaster(), "SIGKILL");
    const during = await sendUntil(running, 503);
    const after = await sendUntil(running, 200);
    await holdsAll(running, [before.name, ...during, ...after]);
    expect((await fetch(`${running.url}/api/v1/health/ready`)).status).toBe(200);
    expect(await running.admin.get("/audit/verify")).toMatchObject({ broken_at: null });
  });

  it("answers 503 while the database hangs, and on every route of ours", async () => {
    const running = await start({ database: { query_timeout: "2s" } });
    const pid = await postmaster();
    const backends = execFileSync("ps", ["-o", "pid=", "--ppid", String(pid)], { encoding: "utf8" })
      .trim()
      .split(/\s+/);
    const group = [pid, ...backends.map(Number)];
    for (const one of group) process.kill(one, "SIGSTOP");
    try {
      const answers = Promise.all([
        send(running),
        running.admin.call("GET", "/incidents"),
        fetch(`${running.url}/api/v1/health/ready`),
      ]);
      expect((await fetch(`${running.url}/api/v1/health/live`)).status).toBe(200);
      expect((await answers).map(({ status }) => status)).toEqual([503, 503, 503]);
    } finally {
      for (const one of group) process.kill(one, "SIGCONT");
    }
    const acknowledged = await sendUntil(running, 200);
    await until(
      async () => (await known(running)).includes(acknowledged.at(-1) as string),
      "the acknowledged alert",
    );
    await eventually(async () =>
      expect(await running.admin.get("/audit/verify")).toMatchObject({ broken_at: null }),
    );
  });

  it("answers 503 while the disk is full, and goes on when there is room", async () => {
    const data = join(folder, "data");
    await mkdir(data);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=160m,mode=0755", "tmpfs", data]);
    try {
      const running = await start();
      const before = await send(running);
      const filler = join(data, "filler");
      await writeFile(filler, Buffer.alloc(400 * 1024 * 1024)).catch(() => {});
      // PostgreSQL still has room in its log, in files of 16 MB that it made before.
      const during = await sendUntil(running, 503, 500_000);
      await rm(filler);
      const after = await sendUntil(running, 200);
      await holdsAll(running, [before.name, ...during.slice(-50), ...after]);
      expect(await running.admin.get("/audit/verify")).toMatchObject({ broken_at: null });
    } finally {
      await server?.kill();
      const pid = await postmaster().catch(() => 0);
      if (pid > 0) process.kill(pid, "SIGQUIT");
      await until(() => {
        try {
          execFileSync("umount", [data], { stdio: "ignore" });
          return true;
        } catch {
          return false;
        }
      }, "the disk to be let go");
    }
  });

  it("answers 503 past the bound of what may wait", async () => {
    const running = await start({ intake: { backlog: { receipts: 1 } } });
    // What keeps the intake busy for as long as the others take to come, on any machine.
    const labels = { alertname: "Flood", deployment: "flood" };
    const flood = Array.from({ length: 5_000 }, (_, n) => ({
      labels: { ...labels, instance: `10.0.${n >> 8}.${n & 255}:9100` },
    }));
    const answers: Awaited<ReturnType<typeof send>>[] = [];
    const refused = await until(async () => {
      let isOver = false;
      const flooded = post(running.url, alertmanagerBody(flood)).finally(() => {
        isOver = true;
      });
      while (!isOver) answers.push(...(await Promise.all(Array.from({ length: 20 }, () => send(running)))));
      await flooded;
      const some = answers.filter((answer) => answer.status === 503);
      return some.length > 0 && some;
    }, "an alert to be refused");
    expect(refused.every((answer) => Number(answer.retry) > 0)).toBe(true);
    expect(answers.every((answer) => [200, 503].includes(answer.status))).toBe(true);
    const acknowledged = answers.filter((answer) => answer.status === 200).map((answer) => answer.name);
    // The flood may be refused itself, where others were faster.
    const others = async () => (await known(running)).filter((name) => name !== labels.alertname);
    await until(async () => (await others()).length >= acknowledged.length, "every acknowledged alert");
    expect(await others()).toEqual(acknowledged.sort());
  });

  it("says in sentences what is wrong with the configuration, all of it", async () => {
    const settings = {
      servr: { port: 1 },
      aproval: {},
      approval: { expires_after: "soon", autority: "1h" },
      policy: 1,
      server: { port: 99999 },
    };
    const failure = await start(settings).then(
      () => undefined,
      (error: ServerFailed) => error,
    );
    expect(failure?.code).toBe(2);
    const text = failure?.message ?? "";
    expect(text).toContain("servr: there is no such setting; did you mean `server`?");
    expect(text).toContain("aproval: there is no such setting; did you mean `approval`?");
    expect(text).toContain("approval.autority: there is no such setting; did you mean `authority`?");
    expect(text).toContain("approval.expires_after");
    expect(text).toContain("server.port");
  });
});
