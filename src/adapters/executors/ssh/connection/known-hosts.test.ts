import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../../test/support/folder.ts";
import { checkHostKey, fingerprintOf, knownTypes, nameOf, parseKnownHosts } from "./known-hosts.ts";

let folder: string;
const keys: Record<string, { line: string; blob: Buffer; fingerprint: string }> = {};

beforeAll(async () => {
  folder = await temporaryFolder("known-hosts");
  for (const [name, type] of [
    ["a", "ed25519"],
    ["b", "ed25519"],
    ["r", "rsa"],
  ] as const) {
    const file = join(folder, name);
    execFileSync("ssh-keygen", ["-q", "-t", type, "-N", "", "-f", file]);
    const [algorithm = "", key = ""] = readFileSync(`${file}.pub`, "utf8").split(" ");
    const fingerprint =
      execFileSync("ssh-keygen", ["-lf", `${file}.pub`])
        .toString()
        .split(" ")[1] ?? "";
    keys[name] = { line: `${algorithm} ${key}`, blob: Buffer.from(key, "base64"), fingerprint };
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const key = (name: string) => keys[name]!;
const judge = (text: string, host: string, name: string) =>
  checkHostKey(parseKnownHosts(text, "known"), host, key(name).blob, ["known"]);
const ok = (text: string, host: string, name = "a") => judge(text, host, name).ok;

describe("known hosts", () => {
  it("shows fingerprints as OpenSSH does", () => {
    for (const name of ["a", "r"]) expect(fingerprintOf(key(name).blob)).toBe(key(name).fingerprint);
  });

  it("looks hosts up as OpenSSH does", () => {
    expect(nameOf("Web1", 22)).toBe("web1");
    expect(nameOf("10.0.0.5", 2222)).toBe("[10.0.0.5]:2222");
    const { line } = key("a");
    expect(ok(`web1,10.0.0.5 ${line}`, "10.0.0.5")).toBe(true);
    expect(ok(`web1 ${line}`, "web2")).toBe(false);
    // A key for port 22 says nothing about another port, nor the other way round.
    expect(ok(`web1 ${line}`, "[web1]:2222")).toBe(false);
    expect(ok(`[web1]:2222 ${line}`, "web1")).toBe(false);
    expect(ok(`*.example.com,!bad.example.com ${line}`, "a.example.com")).toBe(true);
    expect(ok(`*.example.com,!bad.example.com ${line}`, "bad.example.com")).toBe(false);
    expect(ok(`web? ${line}`, "web1")).toBe(true);
    expect(ok(`web? ${line}`, "web10")).toBe(false);
  });

  it("reads names that OpenSSH has hashed", () => {
    const file = join(folder, "hashed");
    writeFileSync(file, `web1 ${key("a").line}\n[10.0.0.5]:2222 ${key("b").line}\n`);
    execFileSync("ssh-keygen", ["-q", "-H", "-f", file], { stdio: "ignore" });
    const text = readFileSync(file, "utf8");
    expect(text).not.toContain("web1");
    expect(ok(text, "web1")).toBe(true);
    expect(ok(text, "[10.0.0.5]:2222", "b")).toBe(true);
    expect(ok(text, "web2")).toBe(false);
  });

  it("tells an unknown key, a changed one and a revoked one apart", () => {
    const text = `web1 ${key("a").line}\n`;
    expect(judge(text, "web2", "b")).toMatchObject({ message: expect.stringContaining("is not known") });
    const changed = judge(text, "web1", "b");
    expect(changed).toMatchObject({ message: expect.stringMatching(/^THE HOST KEY OF web1 HAS CHANGED/) });
    expect(changed).toMatchObject({ message: expect.stringContaining(`${key("a").fingerprint} (known:1)`) });
    // A key of another kind was not written down either.
    expect(judge(text, "web1", "r")).toMatchObject({ message: expect.stringContaining("HAS CHANGED") });
    expect(judge(`${text}@revoked * ${key("a").line}\n`, "web1", "a")).toMatchObject({
      message: expect.stringContaining("is revoked (known:2)"),
    });
  });

  it("says which lines it does not believe", () => {
    const text = `# comment\n\n@cert-authority * ${key("a").line}\nweb1 ssh-ed25519 nonsense\nweb1 ssh-rsa ${key("a").line.split(" ")[1]}\n`;
    const known = parseKnownHosts(text, "known");
    expect(known.keys).toEqual([]);
    expect(known.problems).toEqual([
      "known:3: @cert-authority is not supported",
      "known:4: is not a line of known_hosts",
      "known:5: is not a line of known_hosts",
    ]);
    expect(checkHostKey(known, "web1", key("a").blob, []).ok).toBe(false);
  });

  it("knows by which types a host is known", () => {
    const known = parseKnownHosts(
      `web1 ${key("r").line}\nweb1 ${key("a").line}\nweb2 ${key("b").line}\n`,
      "known",
    );
    expect(knownTypes(known, "web1")).toEqual(["ssh-rsa", "ssh-ed25519"]);
  });
});
