import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEED } from "../../test/support/random.ts";
import type { OperationTarget } from "../contract/incident.ts";
import { AwoooiError } from "../lib/error.ts";
import { operation } from "../operation/index.ts";
import { loadRules, parseRules, propose } from "./rules.ts";

const RULES = loadRules();
const at = (kind: string): OperationTarget => ({ kind, name: "web", namespace: "prod" });
const say = (alert_name: string, target: OperationTarget | null) => {
  const { rule_id, operation: op, risk_level } = propose(RULES, { alert_names: [alert_name], target });
  return [rule_id, op.kind, risk_level];
};

describe("the shipped rules", () => {
  it.each(["Crash", "PodRESTARTing", "oomkill", "Killed", "JobFailed"])(
    "restart a workload for %s",
    (name) => {
      for (const kind of ["deployment", "statefulset", "daemonset"]) {
        expect(say(name, at(kind))).toEqual(["pod_crash", "kubernetes.rollout_restart", "medium"]);
      }
    },
  );

  it.each(["HighLatency", "SlowQueries", "RequestTimeout", "ApiP99"])(
    "scale a workload out to 3 for %s",
    (name) => {
      for (const kind of ["deployment", "statefulset"]) {
        expect(say(name, at(kind))).toEqual(["high_latency", "kubernetes.scale_out", "low"]);
      }
      const { operation: op } = propose(RULES, { alert_names: [name], target: at("deployment") });
      expect(op.parameters).toEqual({ at_least: 3 });
    },
  );

  it.each(["HighErrorRate", "Http5xx", "CertFailing", "JavaException"])(
    "roll a workload back for %s",
    (name) => {
      for (const kind of ["deployment", "statefulset", "daemonset"]) {
        expect(say(name, at(kind))).toEqual(["high_error_rate", "kubernetes.rollout_undo", "critical"]);
      }
    },
  );

  it.each(["HighCPU", "MemoryPressure", "ResourceShort", "QuotaFull"])(
    "scale a workload out to 2 for %s",
    (name) => {
      expect(say(name, at("deployment"))).toEqual(["resource_exhaustion", "kubernetes.scale_out", "medium"]);
      const { operation: op } = propose(RULES, { alert_names: [name], target: at("deployment") });
      expect(op.parameters).toEqual({ at_least: 2 });
    },
  );

  it("let the first group win, over all the names of an incident", () => {
    expect(say("MemoryCrashLatencyError", at("deployment"))[0]).toBe("pod_crash");
    expect(say("LatencyErrorCpu", at("deployment"))[0]).toBe("high_latency");
    expect(say("ErrorCpu", at("deployment"))[0]).toBe("high_error_rate");
    const both = propose(RULES, { alert_names: ["HighCPU", "SomeCrash"], target: at("deployment") });
    expect(both.rule_id).toBe("pod_crash");
  });

  it("restart a supervised process, and never by a Kubernetes operation", () => {
    expect(say("ShopDown", at("process"))).toEqual(["process_not_serving", "process.restart", "medium"]);
    expect(say("ShopCpu", at("process"))[1]).toBe("investigate");
  });

  it.each(["host", "unknown", "pod", "node", "namespace"])("only investigate a %s", (kind) => {
    for (const name of ["Crash", "Latency", "Error", "Cpu", "Down", "X"]) {
      expect(say(name, at(kind))).toEqual(["investigate", "investigate", "medium"]);
    }
  });

  it("investigate where there is no target or no word that they know", () => {
    expect(say("Crash", null)).toEqual(["investigate", "investigate", "medium"]);
    expect(say("SomethingOdd", at("deployment"))).toEqual(["investigate", "investigate", "medium"]);
    expect(say("HighLatency", at("daemonset"))[1]).toBe("investigate");
  });

  it("always have an answer, which is a typed operation on the very target", () => {
    const target = fc.option(
      fc.record({
        kind: fc.oneof(
          fc.constantFrom("process", "deployment", "statefulset", "daemonset", "host"),
          fc.string(),
        ),
        name: fc.string(),
        namespace: fc.string(),
      }),
      { nil: null },
    );
    const names = fc.array(fc.oneof(fc.string(), fc.constantFrom("Crash", "latency", "5xx", "CPU", "down")));
    fc.assert(
      fc.property(names, target, (alert_names, about) => {
        const proposal = propose(RULES, { alert_names, target: about });
        expect(operation.safeParse(proposal.operation).success).toBe(true);
        expect(proposal.operation.target).toEqual(about);
        expect(proposal.because.length).toBeGreaterThan(0);
      }),
      { seed: SEED },
    );
  });
});

describe("rules about findings", () => {
  const list = parseRules(
    `- {id: both, targets: [deployment], keywords: [crash], findings: [b, c], propose: none, risk: low, reasoning: x}
- {id: one, targets: [any], findings: [c], propose: none, risk: low, reasoning: x}
- {id: last, targets: [any], propose: investigate, risk: low, reasoning: look}`,
    "x",
  );
  const finding = (code: string, ...evidence: string[]) => ({ code, title: `There is ${code}`, evidence });
  const about = (name: string, ...findings: ReturnType<typeof finding>[]) =>
    propose(list, { alert_names: [name], target: at("deployment"), findings });

  it("fit when one of their findings is there, and say which, with its evidence", () => {
    expect(about("Slow", finding("a", "E1"), finding("c", "E2", "E3"))).toMatchObject({
      rule_id: "one",
      because: "the evidence shows c: There is c (E2, E3)",
    });
  });

  it("fit with keywords as well only when both are there", () => {
    expect(about("SomeCrash", finding("b", "E1"), finding("c", "E2"))).toMatchObject({
      rule_id: "both",
      because: expect.stringMatching(/shows b: There is b \(E1\), and the target .* contains "crash"$/),
    });
    expect(about("SomeCrash", finding("a", "E1")).rule_id).toBe("last");
    expect(about("Slow", finding("b", "E1")).rule_id).toBe("last");
  });

  it("do not fit where one of `unless` is there, whatever else is", () => {
    const unless = parseRules(
      `- {id: but, targets: [any], findings: [a], unless: [b, c], propose: none, risk: low, reasoning: x}
- {id: last, targets: [any], propose: investigate, risk: low, reasoning: look}`,
      "x",
    );
    const said = (...codes: string[]) =>
      propose(unless, {
        alert_names: ["X"],
        target: at("host"),
        findings: codes.map((code) => finding(code)),
      }).rule_id;
    expect([said("a"), said("d", "a")]).toEqual(["but", "but"]);
    expect([said("a", "b"), said("c", "a"), said("b")]).toEqual(["last", "last", "last"]);
  });

  it("change nothing because of what is only worth knowing", () => {
    const acts = parseRules(
      `- {id: act, targets: [process], findings: [a], propose: process.restart, risk: low, reasoning: x}
- {id: leave, targets: [process], findings: [b], propose: none, risk: low, reasoning: x}
- {id: last, targets: [any], propose: investigate, risk: low, reasoning: look}`,
      "x",
    );
    const said = (code: string, weight?: "cause" | "symptom" | "note") =>
      propose(acts, {
        alert_names: ["X"],
        target: at("process"),
        findings: [{ ...finding(code), ...(weight && { weight }) }],
      }).rule_id;
    expect([said("a"), said("a", "cause"), said("a", "symptom")]).toEqual(["act", "act", "act"]);
    expect([said("a", "note"), said("b", "note")]).toEqual(["last", "leave"]);
  });

  it("name only codes that are documented, when they are shipped", () => {
    const page = readFileSync(new URL("../../docs/reference/findings.md", import.meta.url), "utf8");
    const named = RULES.flatMap(({ findings = [], unless = [] }) => [...findings, ...unless]);
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((code) => !page.includes(`<a id="${code}">`))).toEqual([]);
  });

  it("never act on what only a person can cure", () => {
    const acting = RULES.filter((one) => one.findings && !["investigate", "none"].includes(one.propose));
    expect(acting.map(({ id, findings }) => [id, findings])).toEqual([
      ["journal_fills_disk", ["journal_large"]],
      ["build_cache_fills_disk", ["docker_build_cache_large"]],
      ["unused_images_fill_disk", ["docker_images_unused"]],
      ["bad_rollout", ["bad_rollout"]],
      ["process_gone", ["process_not_running", "process_suspended"]],
    ]);
  });

  it("say nothing where nothing was looked at", () => {
    expect(propose(list, { alert_names: ["SomeCrash"], target: at("deployment") })).toMatchObject({
      rule_id: "last",
      because: "no other rule fits",
    });
  });
});

describe("rules about words", () => {
  const list = parseRules(
    `- {id: room, targets: [any], keywords: [disk, volume], with: [full, used], without: [i/o, inode], propose: none, risk: low, reasoning: x}
- {id: last, targets: [any], propose: investigate, risk: low, reasoning: look}`,
    "x",
  );
  const said = (...alert_names: string[]) => propose(list, { alert_names, target: null });

  it.each([
    ["DiskFull"],
    ["Volume is USED up"],
    ["Disk I/O full", "disk full"],
    ["Inodes used", "VolumeFull"],
  ])("fit where one name has a word of each kind: %s", (...names) => {
    expect(said(...names).rule_id).toBe("room");
  });

  it.each([
    ["Disk"],
    ["MemoryFull"],
    ["Disk", "MemoryFull"],
    ["Disk I/O full"],
    ["DiskInodesUsed"],
    ["Used"],
  ])("do not fit where no name has: %s", (...names) => {
    expect(said(...names).rule_id).toBe("last");
  });

  it("say which words those are", () => {
    expect(said("RootDiskFull").because).toBe(
      'the target is a none and the alert name contains "disk" and "full"',
    );
  });

  // Of node_exporter's mixin, awesome-prometheus-alerts, Zabbix, Netdata and others.
  it.each([
    ["NodeFilesystemSpaceFillingUp", true],
    ["NodeFilesystemAlmostOutOfSpace", true],
    ["HostOutOfDiskSpace", true],
    ["HostDiskWillFillIn24Hours", true],
    ["disk_space_usage", true],
    ["DiskSpaceLow", true],
    ["HighDiskUsage", true],
    ["disk_full", true],
    ["/: Disk space is critically low (used > 90%)", true],
    ["disk.used_percent", true],
    ["NodeFilesystemFilesFillingUp", false],
    ["NodeFilesystemAlmostOutOfFiles", false],
    ["HostOutOfInodes", false],
    ["HostInodesWillFillIn24Hours", false],
    ["disk_inodes_usage", false],
    ["/: Running out of free inodes (free < 10%)", false],
    ["HostUnusualDiskReadRate", false],
    ["HostDiskUnusualReadLatency", false],
    ["HostUnusualDiskIo", false],
    ["NodeDiskIOSaturation", false],
    ["HighDiskIOUsage", false],
    ["HostFilesystemDeviceError", false],
    ["HostFilesystemReadonly", false],
    ["HostRaidDiskFailure", false],
    ["HostOutOfMemory", false],
    ["HostSwapIsFillingUp", false],
    ["HighMemoryUsage", false],
  ])("of the shipped rules make room for %s: %s", (alert_name, makes) => {
    for (const [code, rule] of [
      ["journal_large", "journal_fills_disk"],
      ["docker_build_cache_large", "build_cache_fills_disk"],
      ["docker_images_unused", "unused_images_fill_disk"],
    ]) {
      const findings = [{ code: code!, title: code!, weight: "cause" as const, evidence: ["E1"] }];
      const { rule_id } = propose(RULES, {
        alert_names: [alert_name],
        target: { kind: "host", name: "web" },
        findings,
      });
      expect(rule_id).toBe(makes ? rule : "investigate");
    }
  });
});

describe("rules of an installation", () => {
  const LAST = "- {id: last, targets: [any], propose: investigate, risk: low, reasoning: look}";
  const errorsOf = (yaml: string) => {
    try {
      parseRules(yaml, "my-rules.yaml");
    } catch (error) {
      if (error instanceof AwoooiError) return error;
      throw error;
    }
    throw new Error("these rules were accepted");
  };

  it("are taken in their order", () => {
    const list = parseRules(
      `- {id: mine, targets: [host], keywords: [disk], propose: investigate, risk: high, reasoning: disks}\n${LAST}`,
      "x",
    );
    expect(propose(list, { alert_names: ["DiskFull"], target: at("host") })).toMatchObject({
      rule_id: "mine",
      risk_level: "high",
    });
  });

  it("may call a tool of an external server, which is named by them and not by the alert", () => {
    const tool = "{server: runbooks, name: restart_worker}";
    const call = (more: string) =>
      parseRules(
        `- {id: t, targets: [any], keywords: [mail], ${more}, risk: low, reasoning: r}\n${LAST}`,
        "x",
      );
    const list = call(`propose: tool.call, tool: ${tool}, parameters: {arguments: {worker: mailer}}`);
    expect(propose(list, { alert_names: ["MailStuck"], target: at("process") })).toMatchObject({
      rule_id: "t",
      operation: {
        kind: "tool.call",
        target: { kind: "tool", name: "restart_worker", host: "runbooks" },
        parameters: { arguments: { worker: "mailer" } },
      },
    });
    for (const wrong of ["propose: tool.call", `propose: process.restart, tool: ${tool}`])
      expect(() => call(wrong)).toThrow();
  });

  it("are refused with everything that is wrong at once", () => {
    const error = errorsOf(
      `- {id: Bad Id, targets: [], propose: shell.run, risk: huge, reasoning: "", extra: 1}\n- {id: b, targets: [any], keywords: [UPPER], propose: investigate, risk: low, reasoning: x}`,
    );
    expect(error.code).toBe("invalid");
    expect(error.message).toContain("my-rules.yaml");
    const paths = error.errors.map((one) => one.path);
    for (const path of ["0.id", "0.targets", "0.propose", "0.risk", "0.reasoning", "0", "1.keywords.0"]) {
      expect(paths).toContain(path);
    }
  });

  it.each([
    ["no list", "{}"],
    ["nothing", ""],
    ["an empty list", "[]"],
    ["two of one id", `${LAST}\n${LAST}`],
    [
      "a last rule with keywords",
      "- {id: l, targets: [any], keywords: [x], propose: investigate, risk: low, reasoning: y}",
    ],
    [
      "a last rule with findings",
      "- {id: l, targets: [any], findings: [x], propose: investigate, risk: low, reasoning: y}",
    ],
    [
      "a last rule for some targets",
      "- {id: l, targets: [host], propose: investigate, risk: low, reasoning: y}",
    ],
    [
      "a last rule that does not always fit",
      "- {id: l, targets: [any], unless: [x], propose: investigate, risk: low, reasoning: y}",
    ],
    [
      "further words without a first one",
      `- {id: w, targets: [any], with: [x], propose: none, risk: low, reasoning: y}\n${LAST}`,
    ],
    ["a last rule that acts", "- {id: l, targets: [any], propose: process.restart, risk: low, reasoning: y}"],
    ["no YAML", "- {id: [unclosed"],
  ])("are refused when they are %s", (_what, yaml) => {
    expect(errorsOf(yaml)).toMatchObject({ code: "invalid" });
  });

  it("say nothing of a target that their operation cannot act on", () => {
    const list = parseRules(
      `- {id: all, targets: [any], propose: process.restart, risk: low, reasoning: r}\n${LAST}`,
      "x",
    );
    expect(propose(list, { alert_names: ["A"], target: at("host") }).rule_id).toBe("last");
    expect(propose(list, { alert_names: ["A"], target: at("process") }).rule_id).toBe("all");
  });
});
