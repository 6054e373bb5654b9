import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AT, as, FakeServer, HOSTILE, page, refusal } from "../../../test/support/cli-server.ts";
import { type DeadLetterWithBody, deadLetter, deadLetterWithBody } from "../../contract/dead-letter.ts";
import { shownBody } from "./dead-letters.ts";

const server = new FakeServer();
beforeAll(() => server.start());
afterAll(() => server.stop());

const LETTER: DeadLetterWithBody = {
  dead_letter_id: "17",
  source: "generic",
  sender: "hmac",
  state: "dead",
  error: HOSTILE,
  replays: 1,
  alert_count: 0,
  bytes: 12,
  received_at: AT,
  processed_at: AT,
  body: JSON.stringify({ message: HOSTILE, n: [1] }),
};
const letter = (change: Partial<DeadLetterWithBody> = {}) => as(deadLetterWithBody, { ...LETTER, ...change });
beforeEach(() => {
  server.seen = [];
  server.answers = {
    "GET /dead-letters": page(deadLetter, [LETTER]),
    "GET /dead-letters/17": letter(),
    "POST /dead-letters/17/replay": as(deadLetter, { ...LETTER, state: "replaying" }),
  };
});
const awoooi = (...argv: string[]) => server.awoooi(["dead-letters", ...argv]);
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there.
const HARMFUL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u2028-\u202e]/;

describe("dead-letters", () => {
  it("lists them with the filters that were given", async () => {
    server.answers["GET /dead-letters"] = page(deadLetter, [LETTER], "next_1");
    const { code, stdout, stderr } = await awoooi(
      "ls",
      "--source",
      "generic",
      "--limit",
      "1",
      "--cursor",
      "abc",
    );
    expect(code).toBe(0);
    expect(Object.fromEntries(server.seen[0]?.query ?? [])).toEqual({
      source: "generic",
      limit: "1",
      cursor: "abc",
    });
    expect(stdout).toMatch(/^ID +RECEIVED .*\n17 +2026-07-01 12:00:00Z +generic +hmac +1 +up/);
    expect(stderr).toContain("--cursor next_1");
    server.answers["GET /dead-letters"] = page(deadLetter, []);
    expect((await awoooi("ls")).stdout).toBe("There are no dead letters.\n");
  });

  it("shows a hostile body so that nothing of it is hidden, and nothing of it acts", async () => {
    const { code, stdout } = await awoooi("show", "17");
    expect(code).toBe(0);
    expect(stdout).not.toMatch(HARMFUL);
    expect(stdout).toContain('    "message": "up\\u001b[2J\\u001b]0;pwned\\u0007\\r\\n');
    expect(stdout).toContain("\\u202egnp\\u009b31m");
    expect(stdout).toMatch(/source +generic\n/);
  });

  it("says why there is no body to see", async () => {
    server.answers["GET /dead-letters/17"] = letter({ body: null });
    expect((await awoooi("show", "17")).stdout).toContain("needs the role responder");
  });

  it("waits for what becomes of a replay, and fails where it stays dead", async () => {
    const states: DeadLetterWithBody["state"][] = ["replaying", "replaying", "replayed"];
    server.answers["GET /dead-letters/17"] = () =>
      letter({ state: states.shift() ?? "replayed", alert_count: 2, error: null });
    expect(await awoooi("replay", "17")).toMatchObject({ code: 0, stdout: "17 is parsed: 2 alerts.\n" });
    server.answers["GET /dead-letters/17"] = letter({ error: "not yet" });
    expect(await awoooi("replay", "17")).toMatchObject({ code: 1, stdout: "17 still fails: not yet\n" });
    const json = await awoooi("replay", "17", "--json");
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ dead_letter_id: "17", state: "dead" });
  });

  it("replays all in the order in which they came, and passes over those of somebody else", async () => {
    const all = ["19", "18", "17"].map((id) => ({ ...LETTER, dead_letter_id: id }));
    server.answers["GET /dead-letters"] = ({ query }) =>
      query.get("cursor") === null
        ? page(deadLetter, all.slice(0, 2), "more")
        : page(deadLetter, all.slice(2));
    for (const { dead_letter_id: id } of all) {
      server.answers[`POST /dead-letters/${id}/replay`] = letter({ dead_letter_id: id });
      server.answers[`GET /dead-letters/${id}`] = letter({ dead_letter_id: id, state: "replayed" });
    }
    server.answers["POST /dead-letters/18/replay"] = refusal("conflict", "It is being replayed already.");
    const { code, stdout } = await awoooi("replay", "--all", "--json");
    expect(code).toBe(0);
    expect(server.calls().filter((call) => call.startsWith("POST"))).toEqual(
      ["17", "18", "19"].map((id) => `POST /dead-letters/${id}/replay`),
    );
    expect(JSON.parse(stdout).items.map((one: { dead_letter_id: string }) => one.dead_letter_id)).toEqual([
      "17",
      "19",
    ]);
    expect((await awoooi("replay", "18")).code).toBe(5);
  });

  it.each([[[]], [["17", "--all"]], [["17", "--source", "generic"]]])(
    "needs one or all: %j",
    async (argv) => {
      expect(await awoooi("replay", ...argv)).toMatchObject({ code: 2, stdout: "" });
      expect(server.seen).toEqual([]);
    },
  );
});

describe("a body", () => {
  it("is indented where it is JSON, and escaped whatever it is", () => {
    expect(shownBody('{"a":[1]}')).toBe('{\n  "a": [\n    1\n  ]\n}');
    expect(shownBody("not JSON\u0007 漢字 \u{1f600}\n")).toBe("not JSON\\u0007 漢字 \u{1f600}\n");
    expect(shownBody("\u{e0041}\ud800\u202e\u2028\r")).toBe("\\udb40\\udc41\\ud800\\u202e\\u2028\\u000d");
  });
});

describe("a write whose answer is lost", () => {
  it("is asked for once more under the same key; a read is not", async () => {
    const keys: unknown[] = [];
    const flaky = createServer((request, response) => {
      keys.push(request.headers["idempotency-key"]);
      if (keys.length === 1) request.socket.destroy();
      else response.writeHead(202, { "content-type": "application/json" }).end(JSON.stringify(LETTER));
    });
    await new Promise<void>((listening) => flaky.listen(0, "127.0.0.1", listening));
    const there = `http://127.0.0.1:${(flaky.address() as AddressInfo).port}`;
    expect((await awoooi("replay", "17", "--url", there)).code).toBe(1);
    expect(keys).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), keys[0], undefined]);
    keys.length = 0;
    expect((await awoooi("ls", "--url", there)).code).toBe(6);
    expect(keys).toEqual([undefined]);
    await new Promise((closed) => flaky.close(closed));
  });
});
