import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FakeServer } from "../../../test/support/cli-server.ts";
import { decision, policyVerdict } from "../../contract/decision.ts";
import { loadRules } from "../../decision/index.ts";
import { runCli } from "../index.ts";

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
  it("says which label names the subject, which are the exporter's own, and what tells it apart", async () => {
    const labels = {
      job_name: "renovate-29057640",
      namespace: "renovate",
      job: "kube-state-metrics",
      pod: "kube-prometheus-stack-kube-state-metrics-8bbc975f8-nn58c",
      queue: "{{ $labels.queue }}",
      team: "build",
    };
    const given = Object.entries(labels).flatMap(([name, value]) => ["--label", `${name}=${value}`]);
    const { stdout } = await explain(["--name", "KubeJobFailed", ...given]);
    expect(stdout).toContain("job, by label job_name: renovate-29057640");
    expect(stdout).toContain("queue: the value is a placeholder");
    expect(stdout).toContain(
      "pod, job: the alert is reported by kube-state-metrics (label `job`), and not about it",
    );
    expect(stdout).toContain("by team=build");
    expect(stdout).toContain("renovate / job / renovate-29057640");
  });

  it("takes what was found out about the target: evidence beats the alert's name", async () => {
    const argv = [
      "--name",
      "KubePodCrashLooping",
      "--label",
      "deployment=api",
      "--label",
      "namespace=prod",
      "--json",
    ];
    const decided = async (...codes: string[]) => {
      const found = codes.flatMap((code) => ["--finding", code]);
      return JSON.parse((await explain([...argv, ...found])).stdout).decision;
    };
    expect(await decided()).toMatchObject({ rule_id: "pod_crash" });
    expect(await decided("replicas_unready", "bad_rollout")).toMatchObject({
      rule_id: "bad_rollout",
      because: "the evidence shows bad_rollout: given as an option",
    });
  });

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

  it("decides nothing about information", async () => {
    const argv = ["--name", "PodCrash", "--severity", "info", "--label", "deployment=api"];
    expect(JSON.parse((await explain([...argv, "--json"])).stdout)).toMatchObject({
      classification: { rule: "info" },
      decision: null,
      policy: null,
      decision_rules: [],
    });
    expect((await explain(argv)).stdout).toContain("information is recorded and shown");
  });

  it("shows every rule that matches and why, the one that decides first", async () => {
    const labels = ["--label", "deployment=api", "--label", "namespace=prod"];
    const argv = ["--name", "CheckoutCrashError", ...labels, "--expr", "pg_up == 0"];
    const one = JSON.parse((await explain([...argv, "--json"])).stdout);
    expect(one.classification).toMatchObject({ rule: "database_metric", category: "database" });
    expect(
      one.matches.map((match: { rule: string; decides: boolean }) => [match.rule, match.decides]),
    ).toEqual([
      ["database_metric", true],
      ["kubernetes_label", false],
      ["general", false],
    ]);
    expect(one.decision_rules.map((fit: { rule_id: string }) => fit.rule_id)).toEqual([
      "pod_crash",
      "high_error_rate",
      "investigate",
    ]);
    const { stdout } = await explain(argv);
    expect(stdout).toContain("the expression asks for pg_up");
    expect(stdout).toContain("also matches kubernetes_label (kubernetes): there is a label deployment");
    expect(stdout).toContain("also fits high_error_rate");
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

const OWN = "- { id: shop, words: [shop], category: shop, notification_type: TYPE-6B }\n";

describe("rules classify", () => {
  const classify = async (lines: string, argv: readonly string[] = []) => {
    const { code, stdout, stderr } = await nowhere.awoooi(["rules", "classify", ...argv], {
      env,
      stdin: lines,
    });
    expect(stderr).toBe("");
    return {
      code,
      lines: stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    };
  };

  it("places each line, with the name beside the labels or in them", async () => {
    const { code, lines } = await classify(
      [
        '{"alertname":"KubePodCrashLooping","severity":"warning","labels":{},"annotations":{},"expr":"up"}',
        '{"labels":{"alertname":"Trouble","severity":"info"}}',
        '{"alertname":"Trouble","expr":"pg_up == 0","labels":null,"severity":null,"for":"5m"}',
        '{"alertname":"Trouble","annotations":{"summary":"Kafka is slow"}}\r',
        '{"alertname":"Trouble"}',
      ].join("\n"),
    );
    expect(code).toBe(0);
    expect(lines[0]).toEqual({
      alertname: "KubePodCrashLooping",
      category: "kubernetes",
      notification_type: "TYPE-3",
      rule: "kubernetes",
    });
    expect(lines.slice(1).map((line) => line.category)).toEqual([
      "info",
      "database",
      "infrastructure",
      "general",
    ]);
  });

  it("puts an error in the place of what is no alert, goes on, and ends with 2", async () => {
    const bad = [
      "",
      "{",
      "null",
      "[]",
      '{"labels":{"a":{}}}',
      '{"expr":"x"}',
      "\u0000\ufffd",
      '{"alertname":""}',
    ];
    const { code, lines } = await classify([...bad, '{"alertname":"HostDown"}', ""].join("\n"));
    expect(code).toBe(2);
    expect(lines).toHaveLength(bad.length + 1);
    expect(lines.slice(0, -1).map((line) => Object.keys(line))).toEqual(bad.map(() => ["error"]));
    expect(lines.at(-1)).toMatchObject({ rule: "host_resource" });
  });

  it("gives back hostile names as they were", async () => {
    const name = "\u001b[2J\u202e\n\ud800__proto__";
    const { lines } = await classify(JSON.stringify({ alertname: name, labels: { __proto__: "x" } }));
    expect(lines[0].alertname).toBe(name);
  });

  it("prints for a line before the next one comes", async () => {
    const order: string[] = [];
    async function* stdin() {
      for (const name of ["A", "B"]) {
        order.push(`in ${name}`);
        yield `{"alertname":`;
        yield `"${name}"}\n`;
      }
    }
    const stdout = (text: string) => order.push(`out ${JSON.parse(text).alertname}`);
    const io = { env: {}, stdout, stderr: () => {}, stdin: stdin(), isTTY: false };
    expect(await runCli(["rules", "classify"], io)).toBe(0);
    expect(order).toEqual(["in A", "out A", "in B", "out B"]);
  });

  it("takes an installation's own rules and sites", async () => {
    const file = join(folder, "own.yaml");
    await writeFile(file, OWN);
    const argv = ["--classification", file, "--site", "BlogGone"];
    const { lines } = await classify('{"alertname":"ShopDown"}\n{"alertname":"BlogGone"}', argv);
    expect(lines.map((line) => line.category)).toEqual(["shop", "external_site"]);
  });

  it("says what is wrong with them", async () => {
    const file = join(folder, "broken.yaml");
    await writeFile(file, "- { id: shop }");
    const argv = ["rules", "classify", "--classification", file];
    const { code, stderr } = await nowhere.awoooi(argv, { env, stdin: "" });
    expect(code).toBe(2);
    expect(stderr).toContain("0.category");
    expect(stderr).toContain("0.notification_type");
  });
});

describe("rules test", () => {
  const test = (argv: readonly string[]) => nowhere.awoooi(["rules", "test", ...argv], { env });
  const cases = async (yaml: string) => {
    const file = join(folder, "cases.yaml");
    await writeFile(file, yaml);
    return file;
  };

  it("passes the shipped cases, which name every shipped rule of decision", async () => {
    const { code, stdout } = await test([]);
    expect(stdout).toMatch(/^\d+ passed, 0 failed$/m);
    expect(code).toBe(0);
    const text = await readFile(new URL("../../decision/rules.test.yaml", import.meta.url), "utf8");
    for (const { id } of loadRules()) expect(text).toContain(`decision: ${id}`);
  });

  it("shows what differs and ends with 1", async () => {
    const file = await cases(`
- { name: right, alert: { alertname: HostDown }, expect: { category: host_resource } }
- name: wrong
  alert: { alertname: PodCrash, labels: { deployment: api } }
  expect: { category: database, decision: pod_crash, risk: low }`);
    const { code, stdout } = await test([file]);
    expect(code).toBe(1);
    expect(stdout).toContain("wrong");
    expect(stdout).toMatch(/category\n +- "database"\n +\+ "kubernetes"/);
    expect(stdout).toMatch(/risk\n +- "low"\n +\+ "medium"/);
    expect(stdout).not.toContain("right");
    expect(stdout).toContain("1 passed, 1 failed");
    const { passed, failed } = JSON.parse((await test([file, "--json"])).stdout);
    expect(passed).toBe(1);
    expect(failed[0].differences).toContainEqual({ field: "risk", expected: "low", got: "medium" });
  });

  it("runs against an installation's own rules", async () => {
    const rules = join(folder, "rules.yaml");
    const all = "- { id: look, targets: [any], propose: investigate, risk: low, reasoning: Look. }";
    await writeFile(rules, all);
    const own = join(folder, "own.yaml");
    await writeFile(own, OWN);
    const file = await cases(
      "- { alert: { alertname: ShopCrash, labels: { deployment: a } }, expect: { rule: shop, decision: look } }",
    );
    expect((await test([file, "--rules", rules, "--classification", own])).code).toBe(0);
    expect((await test([file])).code).toBe(1);
  });

  it.each([
    ["a field that is not known", "- { alert: { alertname: A }, expect: { categry: b } }", "categry"],
    ["nothing expected", "- { alert: { alertname: A }, expect: {} }", "expects nothing"],
    ["no name", "- { alert: {}, expect: { rule: b } }", "no alertname"],
    ["no case", "[]", "no case"],
    ["no YAML", "a: [", "not valid"],
  ])("refuses a file with %s", async (_what, yaml, sentence) => {
    const { code, stderr } = await test([await cases(yaml)]);
    expect(code).toBe(2);
    expect(stderr).toContain(sentence);
  });

  it("refuses a file that is not there", async () => {
    expect((await test(["/nonexistent.yaml"])).code).toBe(2);
    expect((await test(["--rules", "/nonexistent.yaml"])).code).toBe(2);
  });
});
