import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AT, as, FakeServer, HOSTILE, refusal } from "../../../test/support/cli-server.ts";
import { type Investigation, investigation } from "../../contract/evidence.ts";

const server = new FakeServer();
beforeAll(() => server.start());
afterAll(() => server.stop());

const item = (id: string, text: string) => ({ id, source: "kubernetes", at: AT, subject: "pod/api-1", text });
const SEEN: Investigation = {
  at: AT,
  target: { kind: "deployment", name: "api", namespace: "prod" },
  evidence: [item("E1", "it waits"), item("E2", `log:\nfirst\n${HOSTILE}`), item("E3", "1 of 2")],
  findings: [
    {
      code: "image_not_found",
      weight: "cause",
      title: "The image web:9 does not exist",
      meaning: "The registry answers and does not have it.",
      evidence: ["E1", "E2"],
    },
    {
      code: "replicas_unready",
      weight: "symptom",
      title: "1 of 2 is ready",
      meaning: "So.",
      evidence: ["E3"],
    },
  ],
  missing: ["nodes: not allowed: the permission to get nodes is lacking"],
};

beforeEach(() => {
  server.seen = [];
  server.answers = { "GET /diagnosis": as(investigation, SEEN) };
});

describe("diagnose", () => {
  it("shows causes first, their evidence beneath, and at the end what was not read", async () => {
    const { code, stdout } = await server.awoooi(["diagnose", "deployment/api", "-n", "prod"]);
    expect(code).toBe(0);
    expect(Object.fromEntries(server.seen[0]?.query ?? [])).toEqual({
      kind: "deployment",
      name: "api",
      namespace: "prod",
    });
    const lines = stdout.split("\n");
    expect(lines[0]).toBe("prod / deployment / api, seen at 2026-07-01 12:00:00Z");
    const places = [
      "CAUSE  The image web:9 does not exist",
      "  The registry answers and does not have it. [image_not_found]",
      "    E1  2026-07-01 12:00:00Z  pod/api-1: it waits",
      "          first",
      "SYMPTOM  1 of 2 is ready",
      "Not read (1 thing)",
    ].map((line) => lines.indexOf(line));
    expect(places.every((place) => place > 0)).toBe(true);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(stdout).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
  });

  it.each([
    [["diagnose", "api"], { kind: "unknown", name: "api" }],
    [["diagnose", "deploy/api"], { kind: "deployment", name: "api" }],
    [["diagnose", "Deployments/api"], { kind: "deployment", name: "api" }],
    [["diagnose", "ingresses/web"], { kind: "ingress", name: "web" }],
    [["diagnose", "process/shop"], { kind: "process", name: "shop" }],
    [["diagnose", "processes/shop"], { kind: "process", name: "shop" }],
    [["diagnose", "svc/shop"], { kind: "service", name: "shop" }],
    [["diagnose", "no/worker-1", "--cluster", "b"], { kind: "node", name: "worker-1", cluster: "b" }],
    [["diagnose", "host/web-1", "--host", "web-1"], { kind: "host", name: "web-1", host: "web-1" }],
  ])("%j asks for %j", async (argv, query) => {
    await server.awoooi(argv);
    expect(Object.fromEntries(server.seen[0]?.query ?? [])).toEqual(query);
  });

  it("shows what a name could be, each with why, and no finding", async () => {
    const target = { kind: "deployment", name: "api", namespace: "shop", cluster: "eu" };
    const candidates = [target, { ...target, cluster: "us" }].map((one) => ({
      target: one,
      reason: "the service api selects its pods",
    }));
    const open = {
      ...SEEN,
      target: { kind: "unknown", name: "api" },
      evidence: [],
      findings: [],
      candidates,
    };
    server.answers = { "GET /diagnosis": as(investigation, open) };
    const { code, stdout } = await server.awoooi(["diagnose", "api"]);
    expect(code).toBe(5);
    expect(stdout).toContain("awoooi diagnose deployment/api -n shop --cluster us");
    expect(stdout).toContain(
      "Could be: deployment/api in shop on eu, deployment/api in shop on us; name one",
    );
    expect(stdout).toContain("the label `cluster`");
    expect(stdout).toContain("  us / shop / deployment/api: the service api selects its pods");
    expect(stdout).not.toContain("No finding explains");
  });

  it("prints what was read where no finding says it", async () => {
    const read = {
      ...SEEN,
      findings: [],
      evidence: [item("E1", "Linux 6.1\nload: 0.1 on 4 cores"), item("E2", "one")],
    };
    server.answers = { "GET /diagnosis": as(investigation, read) };
    const { stdout } = await server.awoooi(["diagnose", "host/box-1", "--mountpoint", "/mnt/nas"]);
    expect(stdout).toContain(
      "\nRead\n  E1  2026-07-01 12:00:00Z  pod/api-1\n      Linux 6.1\n      load: 0.1 on 4 cores\n",
    );
    expect(stdout).toContain("pod/api-1: one");
    expect(Object.fromEntries(server.seen[0]?.query ?? [])).toMatchObject({ mountpoint: "/mnt/nas" });
  });

  it("prints the server's own JSON, and says what is not there with 4", async () => {
    const { stdout } = await server.awoooi(["diagnose", "deployment/api", "--json"]);
    expect(JSON.parse(stdout)).toEqual(SEEN);
    server.answers = { "GET /diagnosis": refusal("not_found", "There is no deployment api.") };
    const gone = await server.awoooi(["diagnose", "deployment/api"]);
    expect(gone).toMatchObject({ code: 4, stderr: "awoooi: There is no deployment api.\n" });
  });

  it.each([["a/b/c"], ["/api"], ["de-ploy/api"]])("refuses %s, which is no target", async (text) => {
    expect(await server.awoooi(["diagnose", text])).toMatchObject({ code: 2, stdout: "" });
    expect(server.seen).toEqual([]);
  });
});
