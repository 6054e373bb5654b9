import { chmod, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../test/support/folder.ts";
import { checkConfig } from "../../../app/config/check.ts";
import { secretsIn } from "../../../lib/redact.ts";
import { hostConfigs, sshConfig } from "./config.ts";
import { routeTo } from "./connection/hosts.ts";

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder("ssh-config");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const HOST = { name: "web1", user: "ops", identity_file: "/k" };
const parse = (hosts: object[], all: object = {}) =>
  sshConfig.safeParse({ known_hosts: ["/h"], hosts, ...all });
const wrong = (hosts: object[], all: object = {}) =>
  parse(hosts, all).error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`) ?? [];

describe("the configuration of hosts", () => {
  it("is empty, or says how each is reached", () => {
    expect(sshConfig.parse({})).toMatchObject({ hosts: [], sudo: false, command_timeout: 50 });
    const config = sshConfig.parse({
      known_hosts: ["/h"],
      user: "ops",
      identity_file: "/k",
      passphrase: "of the key of all",
      hosts: [
        { name: "web1" },
        { name: "db1", address: "10.0.0.6", port: 2222, identity_file: "/own", sudo: true },
      ],
    });
    expect(hostConfigs(config)).toMatchObject([
      { name: "web1", address: "web1", port: 22, user: "ops", passphrase: "of the key of all", sudo: false },
      // A key of its own does not go with the passphrase of another.
      {
        name: "db1",
        address: "10.0.0.6",
        port: 2222,
        identity_file: "/own",
        passphrase: undefined,
        sudo: true,
      },
    ]);
  });

  it.each([
    ["a name twice", [HOST, { ...HOST, name: "WEB1" }], "hosts.1.name: WEB1 is also a name of host web1"],
    [
      "an alias of another",
      [HOST, { ...HOST, name: "b", aliases: ["web1"] }],
      "hosts.1.aliases.0: web1 is also a name of host web1",
    ],
    ["an unknown jump host", [{ ...HOST, jump: "nowhere" }], "hosts.0.jump: there is no host nowhere"],
    ["itself as jump host", [{ ...HOST, jump: "web1" }], "hosts.0.jump: goes in a circle: web1 → web1"],
    ["no user", [{ name: "web1", identity_file: "/k" }], "hosts.0.user: is required"],
    ["no way in", [{ name: "web1", user: "ops" }], "hosts.0: has no identity_file, agent or password"],
    [
      "a secret twice",
      [{ ...HOST, password: "a", password_file: "/b" }],
      "hosts.0.password: is also set by password_file",
    ],
    [
      "an option as address",
      [{ ...HOST, address: "-oProxyCommand=x" }],
      "hosts.0.address: is not a host name",
    ],
    ["NUL", [{ ...HOST, renew_certificate: ["a\0b"] }], "hosts.0.renew_certificate.0: must not contain NUL"],
  ])("refuses %s", (_what, hosts, message) => {
    expect(wrong(hosts)).toContainEqual(expect.stringContaining(message));
  });

  it("refuses hosts without known keys, and circles of jump hosts", () => {
    expect(wrong([HOST], { known_hosts: [] })).toEqual([
      "known_hosts: is required: every host's key is checked",
    ]);
    const ring = ["a", "b", "c"].map((name, at) => ({ ...HOST, name, jump: ["b", "c", "a"][at] }));
    expect(wrong(ring)).toContain("hosts.0.jump: goes in a circle: a → b → c → a");
  });

  it("goes to a host through all those before it", () => {
    const { data } = parse([HOST, { ...HOST, name: "b", jump: "web1" }, { ...HOST, name: "c", jump: "b" }]);
    const all = new Map(hostConfigs(data!).map((one) => [one.name, one]));
    expect(routeTo("c", all).map((one) => one.name)).toEqual(["web1", "b", "c"]);
  });

  it("has its secrets known as secrets, and the names of their files not", () => {
    const hosts = [{ ...HOST, password: "pl4nted-password", passphrase_file: "/run/pl4nted-file" }];
    expect([...secretsIn({ ssh: { passphrase: "pl4nted-passphrase", hosts } })]).toEqual([
      "pl4nted-passphrase",
      "pl4nted-password",
    ]);
  });
});

describe("config check", () => {
  it("says what is wrong with the files of hosts", async () => {
    const at = (name: string) => join(folder, name);
    await writeFile(at("open"), "key");
    await chmod(at("open"), 0o644);
    await writeFile(at("nonsense"), "-----BEGIN OPENSSH PRIVATE KEY-----\nhush");
    await chmod(at("nonsense"), 0o600);
    await writeFile(at("known"), "@cert-authority * ssh-ed25519 AAAA\n");
    const hosts = [
      { name: "a", identity_file: at("open") },
      { name: "b", identity_file: at("missing") },
      { name: "c", identity_file: at("nonsense") },
      { name: "d", agent: at("agent"), jump: "a" },
    ];
    const file = at("awoooi.yaml");
    await writeFile(file, JSON.stringify({ ssh: { user: "ops", known_hosts: [at("known")], hosts } }), {
      mode: 0o600,
    });
    const { errors, warnings } = checkConfig({ file, env: {} });
    const texts = [...errors, ...warnings].map(({ path, message }) => `${path}: ${message}`);
    expect(texts).toEqual(
      expect.arrayContaining([
        `ssh.hosts.0.identity_file: ${at("open")} is readable by others: chmod 600 ${at("open")}`,
        expect.stringMatching(/^ssh\.hosts\.1\.identity_file: ENOENT/),
        `ssh.hosts.2.identity_file: ${at("nonsense")} is not a private key, or its passphrase is wrong`,
        `ssh.hosts.3.agent: ${at("agent")} is not a socket now`,
        `ssh.known_hosts.0: ${at("known")}:1: @cert-authority is not supported`,
        `ssh.known_hosts.0: ${at("known")} contains no key`,
      ]),
    );
    expect(errors).toHaveLength(3);
    expect(texts.join("\n")).not.toContain("hush");
  });
});
