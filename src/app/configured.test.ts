import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { clearFolder, temporaryFolder } from "../../test/support/folder.ts";
import { configurationHash } from "../execution/index.ts";
import { silentLog } from "../lib/log.ts";
import type { Operation } from "../operation/index.ts";
import { configSchema } from "./config/schema.ts";
import { createAdapters } from "./create-adapters.ts";

let folder: string;

beforeAll(async () => {
  folder = await temporaryFolder("configured");
});
afterAll(() => clearFolder(folder));

/** What is configured of an operation, with these settings. */
async function hashOf(settings: object, operation: Operation): Promise<string | null> {
  const config = configSchema.parse(settings);
  const adapters = createAdapters(config, { state_dir: folder, print: () => {}, log: silentLog });
  try {
    return configurationHash(adapters.executors, operation);
  } finally {
    await adapters.stop();
  }
}

const nothing = {};
const RESTART: Operation = {
  kind: "process.restart",
  target: { kind: "process", name: "web" },
  parameters: nothing,
};
const host = { kind: "host" as const, name: "db-1" };
const RENEW: Operation = { kind: "host.renew_certificate", target: host, parameters: nothing };
const RELOAD: Operation = { kind: "host.reload_nginx", target: host, parameters: nothing };
const UNIT: Operation = {
  kind: "host.systemctl_restart",
  target: { kind: "unit", name: "pg.service", host: "db-1" },
  parameters: nothing,
};
const COMPOSE: Operation = {
  kind: "host.docker_compose_restart",
  target: { kind: "compose_service", name: "web", host: "db-1" },
  parameters: { project: "shop" },
};
const CALL: Operation = {
  kind: "tool.call",
  target: { kind: "tool", name: "restart", host: "ops" },
  parameters: { arguments: {} },
};
const ROLLOUT: Operation = {
  kind: "kubernetes.rollout_restart",
  target: { kind: "deployment", name: "api", namespace: "prod", cluster: "main" },
  parameters: nothing,
};

const web = (more: object = {}) => ({
  processes: [{ name: "web", argv: ["/bin/web"], env: { MODE: "safe" }, ...more }],
});
const ssh = (more: object = {}, all: object = {}, jump: object = {}) => ({
  ssh: {
    known_hosts: ["/etc/known"],
    identity_file: "/etc/key",
    user: "ops",
    ...all,
    hosts: [
      {
        name: "db-1",
        address: "10.0.0.1",
        jump: "gate",
        compose: [{ project: "shop", dir: "/srv/shop" }],
        ...more,
      },
      { name: "gate", address: "10.0.0.9", ...jump },
    ],
  },
});
const tools = (more: object = {}, tool: object = {}) => ({
  mcp: {
    servers: [
      {
        name: "ops",
        command: "/bin/ops",
        env: { TEAM: "a" },
        ...more,
        tools: [{ name: "restart", scope: "write", ...tool }],
      },
    ],
  },
});
const url = (one: string, headers: object = {}) => tools({ command: undefined, env: {}, url: one, headers });

async function cluster(server: string, more: object = {}) {
  const kubeconfig = join(folder, "kubeconfig.yaml");
  const named = { name: "c", cluster: { server } };
  const user = { name: "u", user: { token: "t" } };
  const context = { name: "x", context: { cluster: "c", user: "u" } };
  const file = { clusters: [named], users: [user], contexts: [context], "current-context": "x" };
  await writeFile(kubeconfig, stringify(file));
  return { kubernetes: { name: "main", kubeconfig, ...more } };
}

type Case = [what: string, Operation, before: object, after: object | (() => Promise<object>)];

describe("what is signed is bound to what is configured:", () => {
  it.each<Case>([
    ["the program of a process", RESTART, web(), web({ argv: ["/bin/other"] })],
    ["an argument of it", RESTART, web(), web({ argv: ["/bin/web", "--wipe"] })],
    ["its folder", RESTART, web(), web({ cwd: "/srv" })],
    ["its environment", RESTART, web(), web({ env: { MODE: "wipe" } })],
    ["its account", RESTART, web(), web({ uid: 0 })],
    ["that it is there", RESTART, web(), { processes: [{ name: "till", argv: ["/bin/till"] }] }],
    ["the command that renews", RENEW, ssh(), ssh({ renew_certificate: ["/bin/wipe"] })],
    ["the same for all hosts", RENEW, ssh(), ssh({}, { renew_certificate: ["/bin/wipe"] })],
    ["the address of a host", RELOAD, ssh(), ssh({ address: "10.0.0.2" })],
    ["its port", RELOAD, ssh(), ssh({ port: 2222 })],
    ["the account there", RELOAD, ssh(), ssh({ user: "root" })],
    ["whether as root", RELOAD, ssh(), ssh({ sudo: true })],
    ["through which host", RELOAD, ssh(), ssh({ jump: undefined })],
    ["where that is", RELOAD, ssh(), ssh({}, {}, { address: "10.0.0.8" })],
    ["the runtime of containers", RELOAD, ssh(), ssh({ runtime: "podman" })],
    ["that it may be touched", UNIT, ssh(), ssh({ units: ["nginx.service"] })],
    ["the folder of a project", COMPOSE, ssh(), ssh({ compose: [{ project: "shop", dir: "/srv/other" }] })],
    ["the program of a server of tools", CALL, tools(), tools({ command: "/bin/other" })],
    ["its arguments", CALL, tools(), tools({ args: ["--prod"] })],
    ["its environment", CALL, tools(), tools({ env: { TEAM: "b" } })],
    ["its place", CALL, url("https://a.example/"), url("https://b.example/")],
    ["how dangerous a tool is", CALL, tools(), tools({}, { risk: "critical" })],
    ["what it may", CALL, tools(), tools({}, { scope: "admin" })],
  ])("%s", async (_what, operation, before, after) => {
    const signed = await hashOf(before, operation);
    expect(signed).toMatch(/^[0-9a-f]{16}$/);
    expect(await hashOf(before, operation)).toBe(signed);
    expect(await hashOf(after, operation)).not.toBe(signed);
  });

  it("the API server of a cluster, and that it is there", async () => {
    const signed = await hashOf(await cluster("https://10.0.0.1:6443"), ROLLOUT);
    expect(signed).toMatch(/^[0-9a-f]{16}$/);
    expect(await hashOf(await cluster("https://10.0.0.1:6443"), ROLLOUT)).toBe(signed);
    expect(await hashOf(await cluster("https://10.0.0.2:6443"), ROLLOUT)).not.toBe(signed);
    expect(await hashOf(await cluster("https://10.0.0.1:6443", { name: "other" }), ROLLOUT)).toBeNull();
    const guarded = { protected_namespaces: ["prod"] };
    expect(await hashOf(await cluster("https://10.0.0.1:6443", guarded), ROLLOUT)).toBeNull();
  });

  it.each<Case>([
    ["how long an act may take", RELOAD, ssh(), ssh({}, { command_timeout: "9s" })],
    ["the key to a host, which is renewed now and then", RELOAD, ssh(), ssh({ identity_file: "/etc/new" })],
    [
      "the command that renews, for what does not renew",
      RELOAD,
      ssh(),
      ssh({ renew_certificate: ["/bin/x"] }),
    ],
    [
      "the token to a server of tools",
      CALL,
      url("https://a.example/", { authorization: "one" }),
      url("https://a.example/", { authorization: "two" }),
    ],
    ["how a process is looked at", RESTART, web(), web({ probe: { url: "http://127.0.0.1:1024/" } })],
  ])("but not %s", async (_what, operation, before, after) => {
    expect(await hashOf(after, operation)).toBe(await hashOf(before, operation));
  });
});
