import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { FakeServer } from "../../../test/support/cli-server.ts";
import { clearFolder, temporaryFolder } from "../../../test/support/folder.ts";
import { checkConfig, configJsonSchema, configReference, localSources, showConfig } from "../../app/index.ts";

let folder: string;
let config: string;
const SHOP = {
  name: "shop",
  alerts: "events",
  fields: { alertname: "check", status: "state", severity: "level", target_resource: "host" },
};

beforeAll(async () => {
  folder = await temporaryFolder("sources");
  config = join(folder, "awoooi.yaml");
  await writeFile(
    config,
    stringify({ data_dir: folder, intake: { custom: [SHOP], ci_cd: ["NightlyBuild"] } }),
  );
});
afterAll(() => clearFolder(folder));

// A server that is not there: none must be needed.
const nowhere = new FakeServer();
const local = async () => ({ checkConfig, configJsonSchema, configReference, localSources, showConfig });
function test(source: string, body: unknown, ...more: string[]) {
  const stdin = typeof body === "string" ? body : JSON.stringify(body);
  const argv = ["sources", "test", "--source", source, "--file", "-", "--config", config, ...more];
  return nowhere.awoooi(argv, { env: { AWOOOI_URL: "http://127.0.0.1:1" }, stdin, config: local });
}
const json = async (source: string, body: unknown) => {
  const { code, stdout } = await test(source, body, "--json");
  return { code, ...JSON.parse(stdout) };
};

const ALERT = {
  labels: { alertname: "KubePodCrashLooping", namespace: "prod", pod: "web-1" },
  startsAt: "2026-05-04T07:00:00Z",
};

describe("sources test", () => {
  it("shows what a body comes to", async () => {
    const { code, stdout } = await test("alertmanager", { alerts: [{ ...ALERT, status: "resolved" }] });
    expect(code).toBe(0);
    for (const row of [
      /status +resolved/,
      /severity +none given/,
      /target +web$/m,
      /namespace +prod/,
      /category +kubernetes/,
    ])
      expect(stdout).toMatch(row);
    expect(stdout).toContain("alertmanager: 1 parsed, 0 rejected");
  });

  it("knows the mapped sources of the configuration, by either name", async () => {
    const body = { events: [{ check: "Disk", state: "ok", level: "high", host: "web-1" }] };
    for (const name of ["shop", "custom:shop"])
      expect(await json(name, body)).toMatchObject({
        code: 0,
        source: "custom:shop",
        alerts: [{ name: "Disk", status: "resolved", severity: "P1", target: "web-1", starts_at: null }],
        rejected: [],
      });
  });

  it("knows the CI/CD alerts of the configuration, as the server does", async () => {
    const labels = { ...ALERT.labels, alertname: "NightlyBuild" };
    const { stdout } = await test("alertmanager", { alerts: [{ ...ALERT, labels }] });
    expect(stdout).toMatch(/category +devops_tool/);
  });

  it("tells instances apart as the server does", async () => {
    const [first, again] = (await json("alertmanager", { alerts: [ALERT, ALERT] })).alerts;
    expect(first.instance).toBe(again.instance);
    expect((await json("generic", { alert_type: "disk_full" })).alerts[0].instance).toBeNull();
  });

  it("ends with 1 when something would be a dead letter, and says why", async () => {
    const some = await test("shop", { events: [{ check: "Disk" }, 5] });
    expect(some.code).toBe(1);
    expect(some.stdout).toContain("rejected: alerts[1] is not an object");
    expect(some.stdout).toContain("1 parsed, 1 rejected");
    expect(await json("shop", {})).toMatchObject({ code: 1, alerts: [], rejected: [expect.any(String)] });
    expect(await json("pagerduty", { event_action: "acknowledge", dedup_key: "k" })).toMatchObject({
      code: 0,
      acknowledged: ["k"],
    });
  });

  it("says what is wrong with what it is given", async () => {
    const unknown = await test("nobody", {});
    expect(unknown).toMatchObject({ code: 4, stderr: expect.stringContaining("custom:shop") });
    expect(await test("shop", "{")).toMatchObject({ code: 2, stderr: expect.stringContaining("not JSON") });
    await writeFile(config, stringify({ intake: { custom: [{ ...SHOP, fields: { alertname: "a ||" } }] } }));
    const { code, stderr } = await test("shop", {});
    expect(code).toBe(2);
    expect(stderr).toContain("intake.custom.0.fields.alertname: is not a JMESPath expression");
  });
});
