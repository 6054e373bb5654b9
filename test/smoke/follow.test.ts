import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../../src/cli/index.ts";
import { alertmanagerBody, post } from "../support/alerts.ts";
import { ADMIN_TOKEN, approvalIn, SCRIPTED, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { ScriptedTarget } from "../support/scripted-executor.ts";
import { until } from "../support/until.ts";

let database: TestDatabase;
let folder: string;
let app: Awaited<ReturnType<typeof startTestApp>>;
const target = new ScriptedTarget();
/** What the observer waits for: until then an effect is being looked at. */
const looked = Promise.withResolvers<void>();

beforeAll(async () => {
  database = await createDatabase();
  folder = await temporaryFolder("follow");
  const processes = ["shop", "till", "stock", "mail"].map((name) => ({ name, argv: ["/bin/true"] }));
  const settings = { processes, verification: SCRIPTED, incident: { correlation: { merge: false } } };
  const observer = {
    ...target.observer,
    observe: async (...input: Parameters<typeof target.observer.observe>) => {
      if (target.acts.length > 0) await looked.promise;
      return target.observer.observe(...input);
    },
  };
  app = await startTestApp(database.url, folder, settings, {
    adapt: (one) => ({ ...one, executors: [target.executor], observers: [observer], investigators: [] }),
  });
});
afterAll(async () => {
  await app.stop();
  await database.drop();
  await clearFolder(folder);
});

/** A command line, and what it has printed so far. */
function awoooi(...argv: string[]) {
  const said = { stdout: "", stderr: "", code: Promise.resolve(0) };
  said.code = runCli(argv, {
    env: { AWOOOI_URL: app.url, AWOOOI_TOKEN: ADMIN_TOKEN, NO_COLOR: "1" },
    stdout: (text) => {
      said.stdout += text;
    },
    stderr: (text) => {
      said.stderr += text;
    },
    stdin: (async function* () {})(),
    isTTY: false,
  });
  return said;
}

async function proposed(service: string) {
  const labels = { alertname: `${service}Down`, service, severity: "critical" };
  const incident_id = (await post(app.url, alertmanagerBody([{ labels }]))).body.incident_id as string;
  const { approval_id } = await approvalIn(app.admin, incident_id, "pending");
  return { incident_id, approval_id };
}

const activity = async (incident_id: string) =>
  (await app.admin.get<{ activity: string | null }>(`/incidents/${incident_id}`)).activity;

async function listed(incident_id: string): Promise<string> {
  const list = awoooi("incidents", "ls");
  expect(await list.code).toBe(0);
  return list.stdout.split("\n").find((line) => line.startsWith(incident_id)) ?? "";
}

describe("approvals approve --wait", () => {
  it("follows to verified, tells each state once, and the lists say what is going on meanwhile", async () => {
    const { incident_id, approval_id } = await proposed("shop");
    expect(await listed(incident_id)).toContain("waiting for signature");
    const acting = Promise.withResolvers<void>();
    target.onAct = async () => {
      await acting.promise;
      target.healthy = true;
      return { ok: true, output: "restarted" };
    };
    const followed = awoooi("approvals", "approve", approval_id, "--yes", "--wait");
    await until(() => followed.stdout.includes("It is being carried out."), "it to act");
    expect(await activity(incident_id)).toBe("acting");
    acting.resolve();
    await until(() => followed.stdout.includes("its effect is being verified"), "it to be verified");
    expect(await listed(incident_id)).toContain("verifying");
    looked.resolve();
    expect(await followed.code).toBe(0);
    expect(followed.stdout).toMatch(/\nVerified: success: .*\n/);
    expect(followed.stdout.match(/being carried out/g)).toHaveLength(1);
    expect(await activity(incident_id)).toBeNull();
    expect(await listed(incident_id)).toContain("resolved");
  });

  it("ends with 1 when its effect was not seen, and the incident needs a person", async () => {
    target.healthy = false;
    target.onAct = () => ({ ok: true, output: "restarted" });
    const { incident_id, approval_id } = await proposed("till");
    const followed = awoooi("approvals", "approve", approval_id, "--yes", "--wait", "--json");
    expect(await followed.code).toBe(1);
    expect(JSON.parse(followed.stdout)).toMatchObject({ approval_id, status: "execution_failed" });
    expect(await listed(incident_id)).toContain("needs a person");
  });

  it("ends with 5 when it will not be carried out, and 6 when the time is over, which harms nothing", async () => {
    const { approval_id } = await proposed("stock");
    const late = awoooi("approvals", "wait", approval_id, "--timeout", "1s");
    expect(await late.code).toBe(6);
    expect(late.stderr).toContain(`awoooi approvals wait ${approval_id}`);
    const followed = awoooi("approvals", "wait", approval_id);
    await until(() => followed.stdout.includes("It waits for 1 more signature."), "it to wait");
    await app.admin.post(`/approvals/${approval_id}/reject`, { reason: "not now" });
    expect(await followed.code).toBe(5);
    expect(followed.stdout).toContain("It is rejected, and will not be carried out.");
  });
});

describe("incidents ls and show", () => {
  it.each<[string, Record<string, string>]>([
    ["service", { service: "mail", job: "mail-metrics", instance: "localhost:9100" }],
    ["process", { process: "mail", job: "node", instance: "10.0.0.7:9100" }],
    ["app", { app: "mail" }],
  ])("has a configured process that the label %s names as target and service", async (alertname, labels) => {
    const sent = alertmanagerBody([{ labels: { alertname, ...labels } }]);
    const incident_id = (await post(app.url, sent)).body.incident_id as string;
    expect(await listed(incident_id)).toMatch(/ process\/mail +mail[ ,]/);
    const shown = awoooi("incidents", "show", incident_id);
    expect(await shown.code).toBe(0);
    expect(shown.stdout).toMatch(/\nservices +mail\b/);
    expect(shown.stdout).toMatch(/\ntarget +process \/ mail\n/);
  });
});
