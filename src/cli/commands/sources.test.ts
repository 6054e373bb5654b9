import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { AT, as, FakeServer, HOSTILE, page } from "../../../test/support/cli-server.ts";
import { refusedCalls, type SourceReport, sourceList } from "../../contract/source.ts";

const server = new FakeServer();
beforeAll(() => server.start());
afterAll(() => server.stop());

const SOURCE: SourceReport = {
  source: "alertmanager",
  kind: "alertmanager",
  path: "/api/v1/webhooks/alertmanager",
  last_accepted_at: AT,
  last_refused_at: null,
  calls: { received: 12, accepted: 9, refused: 3, dead: 1 },
  dead_letters: { count: 4, bytes: 2_500 },
  limits: {
    requests_per_second: 1,
    burst: 1,
    sender_requests_per_second: 1,
    body_limit: 1,
    wasted_bytes_per_second: 1,
    dead_letters_per_hour: 1,
    dead_letter_bytes_per_hour: 1,
    dead_letter_bytes_kept: 1,
    new_fingerprints: 1,
    new_fingerprints_per_hour: 1,
  },
  limited: ["dead_letters"],
};
const REFUSED = {
  source: "alertmanager",
  reason: "dead_letters",
  sender: "10.2.2.2",
  hour: AT,
  count: 30,
  first_at: AT,
  last_at: AT,
  sample: HOSTILE,
};
beforeEach(() => {
  server.seen = [];
  server.answers = {
    "GET /sources": as(sourceList, { items: [SOURCE] }),
    "GET /sources/refused": page(refusedCalls, [REFUSED], "next_1"),
  };
});

it("sources shows what each sent, and which limits hold it back", async () => {
  const { code, stdout, stderr } = await server.awoooi(["sources"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^SOURCE +PATH .*\nalertmanager +\/api\S+ +2026-07-01 \S+ +9 +3 +1 +4, 2.5 kB +dead_letters/,
  );
  expect(stderr).toContain("24 hours");
  expect(JSON.parse((await server.awoooi(["sources", "ls", "--json"])).stdout)).toEqual({ items: [SOURCE] });
});

it("sources refused says why, by the filters that were given, and hides what would mislead", async () => {
  const { code, stdout, stderr } = await server.awoooi([
    "sources",
    "refused",
    "--source",
    "alertmanager",
    "--reason",
    "dead_letters",
    "--limit",
    "1",
  ]);
  expect(code).toBe(0);
  expect(Object.fromEntries(server.seen[0]?.query ?? [])).toEqual({
    source: "alertmanager",
    reason: "dead_letters",
    limit: "1",
  });
  expect(stdout).toMatch(/10\.2\.2\.2 +dead_letters +30 +up/);
  expect(stdout).not.toContain("\u001b");
  expect(stderr).toContain("--cursor next_1");
  server.answers["GET /sources/refused"] = page(refusedCalls, []);
  expect((await server.awoooi(["sources", "refused"])).stdout).toBe("No call was refused.\n");
});
