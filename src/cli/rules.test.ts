import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FakeServer } from "../../test/support/cli-server.ts";
import { decision, policyVerdict } from "../contract/decision.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "awoooi-rules-"));
});
afterAll(() => rm(folder, { recursive: true }));

// A server that is not there: none must be needed.
const nowhere = new FakeServer();
const env = { AWOOOI_URL: "http://127.0.0.1:1" };
const explain = (argv: readonly string[], stdin = "") =>
  nowhere.awoooi(["rules", "explain", ...argv], { env, stdin });

describe("rules explain", () => {
  it("says for a crashing deployment what would be proposed, and that a person must do it", async () => {
    const argv = ["--name", "KubePodCrashLooping", "--label", "namespace=prod", "--label", "deployment=api"];
    const { code, stdout } = await explain([...argv, "--json"]);
    expect(code).toBe(0);
    const one = JSON.parse(stdout);
    expect(one).toMatchObject({
      alert: { alert_type: "k8s_pod_crash", severity: null, namespace: "prod", target_resource: "api" },
      classification: {
        rule: "kubernetes",
        reason: "the name starts with Kube",
        category: "kubernetes",
        notification_type: "TYPE-3",
      },
      affected_services: ["api"],
      operation_target: { kind: "deployment", name: "api", namespace: "prod" },
      decision: { rule_id: "pod_crash", risk_level: "medium" },
      policy: { outcome: "manual", rule: "not_executable" },
    });
    expect(decision.shape.proposal.shape.operation.parse(one.decision.operation).kind).toBe(
      "kubernetes.rollout_restart",
    );
    expect(policyVerdict.parse(one.policy).reason).toContain(
      "kubectl rollout restart deployment/api -n prod",
    );
    const { stdout: text } = await explain(argv);
    expect(text).toContain("kubernetes: the name starts with Kube");
    expect(text).toContain("prod / deployment / api");
    expect(text).toContain("manual (not_executable)");
  });

  it("proposes to people the restart of a process that the server supervises", async () => {
    const argv = ["--name", "DemoShopDown", "--severity", "critical", "--label", "process=demo-shop"];
    const known = await explain([...argv, "--process", "other", "--process", "demo-shop"]);
    expect(known.stdout).toContain("Restart process demo-shop");
    expect(known.stdout).toContain("ask (suggest)");
    expect(known.stdout).toMatch(/severity +P0/);
    const unknown = JSON.parse((await explain([...argv, "--json"])).stdout);
    expect(unknown.decision).toMatchObject({ rule_id: "investigate" });
    expect(unknown.policy).toMatchObject({ outcome: "manual", rule: "read_only" });
  });

  it("decides nothing about a sign of life", async () => {
    const { code, stdout } = await explain(["--name", "Watchdog", "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      classification: { rule: "heartbeat", heartbeat: true, notification_type: "TYPE-1" },
      decision: null,
      policy: null,
    });
    expect((await explain(["--name", "Watchdog"])).stdout).toContain("opens no incident");
  });

  it("does nothing about information", async () => {
    const { stdout } = await explain(["--name", "Deployed", "--severity", "info", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      classification: { rule: "info" },
      policy: { outcome: "none", rule: "information_only" },
    });
  });

  it("takes an alert from a file, with labels over those of the file", async () => {
    const file = join(folder, "alert.json");
    await writeFile(
      file,
      JSON.stringify({ labels: { alertname: "KubePodCrashLooping", replicas: 2, deployment: "a" } }),
    );
    const { stdout } = await explain(["--file", file, "--label", "deployment=b", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      alert: { alert_name: "KubePodCrashLooping", labels: { replicas: "2" } },
      operation_target: { name: "b" },
    });
  });

  it("takes every alert of a webhook body from stdin", async () => {
    const alerts = [
      { labels: { alertname: "A" } },
      { labels: { alertname: "PostgresDown" }, annotations: {} },
    ];
    const { stdout } = await explain(["--file", "-", "--json"], JSON.stringify({ alerts }));
    const rules = JSON.parse(stdout).items.map(
      (one: { classification: { rule: string } }) => one.classification.rule,
    );
    expect(rules).toEqual(["general", "database"]);
  });

  it.each([
    ["no alert at all", [], "", "Give the alert's --name"],
    ["what is not JSON", ["--file", "-"], "{", "is not JSON"],
    ["what is no alert", ["--file", "-"], '{"alerts":[]}', "needs `labels`"],
    ["a file that is not there", ["--file", "/nonexistent.json"], "", "cannot be read"],
    ["a label without a value", ["--name", "A", "--label", "x"], "", "key=value"],
  ])("refuses %s as wrong input", async (_what, argv, stdin, sentence) => {
    const { code, stdout, stderr } = await explain(argv, stdin);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(sentence);
  });
});
