import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  APPROVAL,
  as,
  DECISION,
  FakeServer,
  HASH,
  HOSTILE,
  INCIDENT,
  oneIncident,
  page,
  type Reply,
  refusal,
  TOKEN,
} from "../../test/support/cli-server.ts";
import { approval } from "../contract/approval.ts";
import { problem } from "../contract/common.ts";
import { incident } from "../contract/incident.ts";
import { ERRORS, type ErrorCode } from "../lib/error.ts";

const server = new FakeServer();
beforeAll(() => server.start());
afterAll(() => server.stop());

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "awoooi-cli-"));
});
afterAll(() => rmSync(folder, { recursive: true }));
const own = `/incidents/${INCIDENT.incident_id}`;
beforeEach(() => {
  server.seen = [];
  server.answers = oneIncident();
});

describe("every command", () => {
  it.each([
    [["incidents", "ls"], "GET /incidents"],
    [["approvals", "ls"], "GET /approvals"],
    [["approvals", "show", "APR-1"], "GET /approvals/APR-1"],
  ])("gives the server's JSON unchanged: %j", async (argv, call) => {
    const json = { ...((server.answers[call] as Reply).json as object), added_by_a_newer_server: "é\u009b" };
    const text = JSON.stringify(json, null, 1);
    server.answers[call] = { text };
    expect(await server.awoooi([...argv, "--json"])).toEqual({ code: 0, stdout: `${text}\n`, stderr: "" });
  });

  it("gives the parts of an incident's story unchanged", async () => {
    const { stdout } = await server.awoooi(["incidents", "show", INCIDENT.incident_id, "--json"]);
    const { timeline, ...rest } = JSON.parse(stdout);
    expect(rest).toEqual({ incident: INCIDENT, decision: DECISION, approvals: [APPROVAL], executions: [] });
    expect(timeline).toHaveLength(1);
  });

  it("lets no text from outside reach the terminal's control", async () => {
    const hostile = { ...APPROVAL, action: HOSTILE, description: HOSTILE, diff: HOSTILE };
    server.answers["GET /incidents"] = page(incident, [
      { ...INCIDENT, title: HOSTILE, affected_services: [HOSTILE] },
    ]);
    server.answers[`GET ${own}`] = as(incident, { ...INCIDENT, title: HOSTILE, owner: HOSTILE });
    server.answers["GET /approvals"] = page(approval, [hostile]);
    const shown = [
      await server.awoooi(["incidents", "ls"], { isTTY: true, env: { NO_COLOR: "1" } }),
      await server.awoooi(["incidents", "show", INCIDENT.incident_id]),
      await server.awoooi(["approvals", "ls"]),
    ];
    server.answers["GET /incidents"] = refusal("forbidden", HOSTILE, {
      errors: [{ path: HOSTILE, message: HOSTILE }],
    });
    shown.push(await server.awoooi(["incidents", "ls"]));
    for (const { stdout, stderr } of shown) {
      const text = stdout + stderr;
      expect(text).toContain("up");
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
      expect(text).not.toMatch(/^awoooi: all is well/m);
    }
  });
});

describe("what goes wrong", () => {
  it.each(Object.keys(ERRORS) as ErrorCode[])("ends with the exit code of %s", async (code) => {
    server.answers["GET /incidents"] = refusal(code, `A sentence about ${code}.`);
    const plain = await server.awoooi(["incidents", "ls"]);
    expect(plain).toMatchObject({ code: ERRORS[code].exit, stdout: "" });
    expect(plain.stderr).toMatch(new RegExp(`^awoooi: A sentence about ${code}\\.`));
    const json = await server.awoooi(["incidents", "ls", "--json"]);
    expect(json).toMatchObject({ code: ERRORS[code].exit, stdout: "" });
    expect(problem.parse(JSON.parse(json.stderr)).code).toBe(code);
  });

  it("names the fields that are wrong, the log's reference, and when to come back", async () => {
    const errors = [
      { path: "plan_hash", message: "is not a plan hash" },
      { path: "", message: "is odd" },
    ];
    server.answers["GET /incidents"] = refusal("invalid", "Some fields are not valid.", { errors });
    const { stderr } = await server.awoooi(["incidents", "ls"]);
    expect(stderr).toBe("awoooi: Some fields are not valid.\n  plan_hash: is not a plan hash\n  is odd\n");
    server.answers["GET /incidents"] = refusal("internal", "Unexpected.", { reference: "ref-1" });
    expect((await server.awoooi(["incidents", "ls"])).stderr).toContain("reference: ref-1");
    server.answers["GET /incidents"] = {
      ...refusal("overloaded", "Too much."),
      headers: { "retry-after": "7" },
    };
    expect((await server.awoooi(["incidents", "ls"])).stderr).toContain("Try again in 7 s.");
    server.answers["GET /incidents"] = refusal("unauthenticated", "A token is needed.");
    expect((await server.awoooi(["incidents", "ls"])).stderr).toContain("Set AWOOOI_TOKEN");
  });

  it("goes by the code, whatever status came with it", async () => {
    const json = { type: "x", title: "Expired", status: 400, detail: "Expired.", code: "expired" };
    server.answers["GET /incidents"] = { status: 400, json };
    expect((await server.awoooi(["incidents", "ls"])).code).toBe(5);
  });

  it("goes by the status where a newer server has a new code", async () => {
    const json = { type: "x", title: "New", status: 409, detail: "New.", code: "brand_new" };
    server.answers["GET /incidents"] = { status: 409, json };
    expect((await server.awoooi(["incidents", "ls"])).code).toBe(5);
  });

  it("says how to start a server that is not there", async () => {
    const gone = createServer();
    await new Promise<void>((listening) => gone.listen(0, "127.0.0.1", listening));
    const there = `http://127.0.0.1:${(gone.address() as AddressInfo).port}`;
    await new Promise((closed) => gone.close(closed));
    const { code, stderr } = await server.awoooi(["incidents", "ls", "--url", there]);
    expect(code).toBe(6);
    expect(stderr).toContain(`${there} cannot be reached (connection refused)`);
    expect(stderr).toContain("`awoooi serve`");
  });

  it("says that the outcome of a write is not known when the answer was lost", async () => {
    const broken = createServer((request) => request.socket.destroy());
    await new Promise<void>((listening) => broken.listen(0, "127.0.0.1", listening));
    const there = `http://127.0.0.1:${(broken.address() as AddressInfo).port}`;
    const argv = ["approvals", "approve", "APR-1", "--hash", HASH, "--url", there];
    const { code, stderr } = await server.awoooi(argv);
    await new Promise((closed) => broken.close(closed));
    expect(code).toBe(6);
    expect(stderr).toContain("It may have been done: check");
  });

  it.each([
    [{ text: "<html>bad gateway</html>", status: 502 }, 6, "answered 502"],
    [{ text: "<html>hello</html>" }, 1, "not AWOOOI's answer"],
    [
      { status: 302, headers: { location: "http://elsewhere.example/" } },
      1,
      "leads to http://elsewhere.example/",
    ],
    [{ json: { items: [{}], next_cursor: null } }, 1, "items.0.incident_id"],
  ])("does not take for an answer what is none (%#)", async (reply, exit, sentence) => {
    server.answers["GET /incidents"] = reply as Reply;
    const { code, stdout, stderr } = await server.awoooi(["incidents", "ls"]);
    expect({ code, stdout }).toEqual({ code: exit, stdout: "" });
    expect(stderr).toContain(sentence);
  });

  it.each([
    [["incidnets", "ls"], "Did you mean incidents?"],
    [["incidents", "lss"], "Did you mean ls?"],
    [["incidents", "ls", "--limti", "1"], "Did you mean --limit?"],
    [["incidents", "ls", "--limit", "201"], "from 1 to 200"],
    [["incidents", "ls", "--severity", "P9"], "P0, P1, P2, P3"],
    [["incidents", "show"], "missing required argument 'id'"],
    [["incidents", "show", "../tokens"], "not an id"],
    [["incidents", "ls", "more"], "too many arguments"],
    [["approvals", "approve", "APR-1", "--hash", "abc"], "64 hexadecimal digits"],
    [["tokens", "create", "--name", "ada"], "--role"],
    [["tokens", "create", "--name", "ada", "--role", "king"], "viewer, responder"],
    [["alerts", "send"], "Give the alert's --name"],
    [["alerts", "send", "--name", "A", "--starts-at", "yesterday"], "2026-07-01T12:00:00Z"],
    [["incidents", "ls", "--url", "ftp://x"], "http://"],
    [["incidents", "ls", "--url", "http://u:p@x"], "must not contain a user or password"],
    [["incidents", "ls", "--token-file", "/nonexistent"], "cannot be read"],
    [["incidents", "ls", "--token", "x"], "unknown option '--token'"],
  ])("refuses %j before anything is called", async (argv, sentence) => {
    const { code, stdout, stderr } = await server.awoooi(argv);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(sentence);
    expect(stderr).toMatch(/^awoooi: /);
    expect(server.seen).toEqual([]);
    const json = await server.awoooi([...argv, "--json"]);
    expect(problem.parse(JSON.parse(json.stderr)).code).toBe("invalid");
  });
});

describe("settings", () => {
  it("takes the token from a file, which an option names before the environment", async () => {
    const [one, two] = ["one", "two"].map((name) => join(folder, name)) as [string, string];
    writeFileSync(one, "token-one\n");
    writeFileSync(two, "token-two\n");
    const env = { AWOOOI_TOKEN: "", AWOOOI_TOKEN_FILE: one };
    await server.awoooi(["incidents", "ls"], { env });
    await server.awoooi(["incidents", "ls", "--token-file", two], { env: { ...env, AWOOOI_TOKEN: TOKEN } });
    await server.awoooi(["incidents", "ls"], { env: { AWOOOI_TOKEN: "" } });
    expect(server.seen.map((call) => call.authorization)).toEqual([
      "Bearer token-one",
      "Bearer token-two",
      undefined,
    ]);
  });

  it("refuses a token file that holds none, without showing what it holds", async () => {
    const file = join(folder, "bad");
    writeFileSync(file, "two words\n");
    const { code, stderr } = await server.awoooi(["incidents", "ls", "--token-file", file]);
    expect(code).toBe(2);
    expect(stderr).not.toContain("two words");
  });

  it("keeps the path of a URL, for a server behind a proxy", async () => {
    await server.awoooi(["--url", `${server.url}/ops/`, "incidents", "ls"]);
    expect(server.calls()).toEqual(["GET /ops/incidents"]);
  });
});

describe("help and serve", () => {
  it("shows help on stdout when asked, and on stderr where a command is missing", async () => {
    const asked = await server.awoooi(["approvals", "approve", "--help"]);
    expect(asked).toMatchObject({ code: 0, stderr: "" });
    expect(asked.stdout).toContain("$ awoooi approvals approve APR-");
    expect(asked.stdout).toContain("--token-file");
    const missing = await server.awoooi(["approvals"]);
    expect(missing).toMatchObject({ code: 2, stdout: "" });
    expect(missing.stderr).toMatch(/^Usage: awoooi approvals /);
    expect(missing.stderr).not.toContain("awoooi: ");
  });

  it("gives serve its options and ends with its exit code", async () => {
    const given: object[] = [];
    const serve = async (options: object) => {
      given.push(options);
      return 3;
    };
    expect((await server.awoooi(["serve", "--config", "a.yaml"], { serve })).code).toBe(3);
    expect((await server.awoooi(["serve"], { serve })).code).toBe(3);
    expect((await server.awoooi(["serve", "--cofnig", "a"], { serve })).code).toBe(2);
    expect(given).toEqual([{ config: "a.yaml" }, {}]);
  });
});
