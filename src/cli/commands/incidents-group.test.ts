import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FakeServer } from "../../../test/support/cli-server.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "awoooi-group-"));
});
afterAll(() => rm(folder, { recursive: true }));

// A server that is not there: none must be needed.
const nowhere = new FakeServer();
const env = { AWOOOI_URL: "http://127.0.0.1:1" };

async function group(stdin: string, ...argv: string[]) {
  const { code, stdout, stderr } = await nowhere.awoooi(["incidents", "group", ...argv], { env, stdin });
  const lines = stdout.split("\n").filter((line) => line !== "");
  return { code, stderr, lines: lines.map((line) => JSON.parse(line)) };
}

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const alert = (alertname: string, service: string, startsAt?: string | null) =>
  JSON.stringify({ alertname, labels: { service, namespace: "prod" }, startsAt });
const ALERTS = [
  alert("CertificateExpiringSoon", "blog", "2026-01-01T00:00:00Z"),
  alert("HighErrorRate", "web", "2026-01-01T00:02:30+00:00"),
  alert("KubePodCrashLooping", "db", "2026-01-01T00:01:00Z"),
  alert("HighLatency", "web", "0001-01-01T00:00:00Z"),
].join("\n");

describe("incidents group", () => {
  it.each([
    ["compose.yaml", "services:\n  web:\n    image: web\n    depends_on: [db]\n  db: {}\n"],
    ["edges.json", '[{"from": "web", "to": "db"}]'],
  ])("groups by a graph in %s, and names the cause", async (name, text) => {
    const { code, lines } = await group(ALERTS, "--topology", await file(name, text));
    expect(code).toBe(0);
    expect(lines.map(({ index, group: of, cause }) => [index, of, cause])).toEqual([
      [0, 0, undefined],
      [1, 1, undefined],
      [2, 1, true],
      [3, 1, undefined],
    ]);
    expect(lines[1].reason).toBe("web depends on db (directly); started within 2 min of each other");
    expect(lines[0].reason).toBe("no relation to another alert was found");
  });

  it("groups without a graph what is about the same, from a file", async () => {
    const { code, lines } = await group("", await file("alerts.jsonl", `${ALERTS}\n`));
    expect(code).toBe(0);
    expect(lines.map((one) => one.group)).toEqual([0, 1, 2, 1]);
    const apart = await group(ALERTS.replaceAll("0001-01-01T00", "2026-01-01T01"), "--window", "60");
    expect(apart.lines.map((one) => one.group)).toEqual([0, 1, 2, 3]);
  });

  it("says in its place which line is no alert, and groups the others", async () => {
    const bad = ["{", "{}", '{"alertname":"A","startsAt":"soon"}', '{"alertname":"A","labels":{"a":[]}}'];
    const { code, lines } = await group([...bad, ALERTS].join("\n"));
    expect(code).toBe(2);
    expect(lines).toHaveLength(8);
    expect(lines.slice(0, 4).map(({ index, error }) => [index, error.split(":")[0]])).toEqual([
      [0, "line 1"],
      [1, "line 2"],
      [2, "line 3"],
      [3, "line 4"],
    ]);
    expect(lines.slice(4).map((one) => one.group)).toEqual([4, 5, 6, 5]);
  });

  it.each([
    ["services: {web: {depends_on: 3}}", "services.web.depends_on"],
    ["a: [", "neither YAML nor JSON"],
    ["", "must have `services`"],
  ])("refuses the graph %j", async (text, said) => {
    const { code, lines, stderr } = await group(ALERTS, "--topology", await file("bad.yaml", text));
    expect([code, lines]).toEqual([2, []]);
    expect(stderr).toContain(said);
  });

  it("refuses files that are not there", async () => {
    const missing = join(folder, "missing");
    expect((await group("", missing)).code).toBe(2);
    expect((await group(ALERTS, "--topology", missing)).stderr).toContain("cannot be read");
  });
});
