import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkConfig } from "./check.ts";
import { showConfig } from "./show.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "awoooi-check-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(text: string, name = "awoooi.yaml", mode = 0o600): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}
const paths = (list: { path: string }[]) => list.map((one) => one.path);
const check = async (yaml: string, env: NodeJS.ProcessEnv = {}) =>
  checkConfig({ file: await file(yaml), env });

describe("checking a configuration", () => {
  it("finds nothing wrong with the defaults", async () => {
    const report = await check("");
    expect(report).toEqual({ file: join(folder, "awoooi.yaml"), errors: [], warnings: [] });
  });

  it("says everything that is wrong at once: settings, environment, rules, classification, addresses", async () => {
    const rules = await file("- { id: x }", "rules.yaml");
    const classification = await file(
      "- { id: general, words: [a], category: a, notification_type: X }",
      "own.yaml",
    );
    const { errors } = await check(
      `
server: { port: 70000 }
decision: { rules: ${rules} }
intake:
  classification: ${classification}
  trusted_networks: [10.0.0.0/8, 10.0.0.0/40, nowhere]
  proxies: [1.2.3.4/]
sweeep: {}`,
      { AWOOOI_ADMIN_TOKEN_FILE: join(folder, "none") },
    );
    expect([...new Set(paths(errors))].sort()).toEqual([
      "AWOOOI_ADMIN_TOKEN_FILE",
      "decision.rules: 0.propose",
      "decision.rules: 0.reasoning",
      "decision.rules: 0.risk",
      "decision.rules: 0.targets",
      "intake.classification: 0.notification_type",
      "intake.proxies",
      "intake.trusted_networks",
      "server.port",
      "sweeep",
    ]);
    expect(errors.filter((one) => one.path === "intake.trusted_networks")).toHaveLength(2);
    expect(errors.find((one) => one.path === "sweeep")?.message).toContain("sweep");
  });

  it.each([
    ["none.yaml", "there is no such file"],
    ["", "is a folder, and no file"],
    ["/dev/zero", "is no ordinary file"],
    ["/etc/passwd/x", "there is no such file: a part of its path is no folder"],
  ])("says that %j cannot be read, and why", (name, message) => {
    const path = name.startsWith("/") ? name : join(folder, name);
    const { file: read, errors } = checkConfig({ file: path, env: {} });
    expect(read).toBe(path);
    expect(errors).toEqual([{ path, message }]);
  });

  it("says that a file that a setting names is not there", async () => {
    expect(paths((await check(`decision: { rules: ${folder}/none.yaml }`)).errors)).toEqual([
      "decision.rules",
    ]);
  });

  it.each<[string, string, NodeJS.ProcessEnv, string]>([
    ["listening to other machines without credentials", "server: { host: 0.0.0.0 }", {}, "server.host"],
    ["trusting everyone", 'intake: { trusted_networks: ["0.0.0.0/0"] }', {}, "intake.trusted_networks"],
    ["no secret of senders in production", "", { AWOOOI_ENV: "prod" }, "intake"],
    ["nobody who is told", "notification: { enabled: false }", {}, "notification.enabled"],
    [
      "one signature for critical risk",
      "approval: { required_signatures: { critical: 1 } }",
      {},
      "approval.required_signatures",
    ],
    [
      "a folder that is none",
      "processes: [{ name: a, argv: [/bin/true], cwd: /nonexistent }]",
      {},
      "processes.0.cwd",
    ],
    ["a program that is not found", "processes: [{ name: a, argv: [nosuchprog] }]", {}, "processes.0.argv"],
    ["a program that is none", "processes: [{ name: a, argv: [/etc/passwd] }]", {}, "processes.0.argv"],
    [
      "a disabled tool that nobody offers",
      "execution: { disabled_tools: [ops/restrat] }",
      {},
      "execution.disabled_tools",
    ],
    [
      "headers of a server of tools that anyone can read on the way",
      "mcp: { servers: [{ name: a, url: 'http://tools.example/mcp', headers: { Authorization: abc } }] }",
      {},
      "mcp.servers.0.url",
    ],
    ["an unknown name in the environment", "", { AWOOOI_PROT: "1" }, "AWOOOI_PROT"],
    ["a name that is given twice", "", { AWOOOI_PORT: "1", AWOOOI_PORT_FILE: "/none" }, "AWOOOI_PORT_FILE"],
  ])("warns of %s", async (_what, yaml, env, path) => {
    const { errors, warnings } = await check(yaml, env);
    expect(errors).toEqual([]);
    expect(paths(warnings)).toContain(path);
  });

  it("says along which PATH a program was looked for: that of its own environment, if it has one", async () => {
    const yaml = "processes: [{ name: a, argv: [nosuchprog], env: { PATH: /nowhere } }]";
    expect((await check(yaml)).warnings).toEqual([
      { path: "processes.0.argv", message: "nosuchprog was not found along PATH, which is /nowhere here" },
    ]);
  });

  it("says which name was meant, and knows those that others read", async () => {
    const env = { AWOOOI_PROT: "1", AWOOOI_URL: "x", AWOOOI_TOKEN: "y", AWOOOI_CONFIG: "z", HOME: "/" };
    const { warnings } = await check("", env);
    expect(warnings).toEqual([{ path: "AWOOOI_PROT", message: expect.stringContaining("AWOOOI_PORT") }]);
  });

  it("warns of secrets in a file that others may read, without showing them", async () => {
    const yaml = "intake: { bearer_tokens: [hunter2-hunter2-hunter2] }\nadmin_token: ''";
    const open = checkConfig({ file: await file(yaml, "open.yaml", 0o644), env: {} });
    expect(open.warnings.map((one) => one.path)).toContain("intake.bearer_tokens, admin_token");
    expect(JSON.stringify(open)).not.toContain("hunter2");
    expect((await check("intake: { bearer_tokens: [hunter2-hunter2-hunter2] }")).warnings).toEqual([]);
  });
});

describe("secrets in a file that others may read", () => {
  const warned = async (yaml: string, env: NodeJS.ProcessEnv = {}) =>
    checkConfig({ file: await file(yaml, "open file.yaml", 0o644), env }).warnings;
  const process = (env: object) =>
    `processes: [{ name: shop, argv: [/bin/true], env: ${JSON.stringify(env)} }]`;
  const tools = (name: string, values: object) =>
    `mcp: { servers: [{ name: docs, url: "https://tools.example/mcp", ${name}: ${JSON.stringify(values)} }] }`;
  const hook = (url: string) => `notification: { webhook: { url: "${url}" } }`;

  it.each([
    process({
      PORT: "8080",
      LOG_LEVEL: "info",
      KEYBOARD: "us",
      MONKEY_COUNT: "3",
      TOKENS_FILE: "/run/tokens",
    }),
    process({ DB_URL: "postgres://db/shop", DB_PASSWORD_FILE: "/run/secrets/db", API_KEY: "" }),
    process({
      TOKEN_TTL: "60",
      AUTH_MODE: "oidc",
      KEY_PREFIX: "shop",
      SESSION_TIMEOUT: "30m",
      TURKEY: "bird",
      PATH: "/usr/bin",
    }),
    tools("headers", { Accept: "application/json" }),
    hook("http://127.0.0.1:9000/hook"),
    "processes: [{ name: shop, argv: [shop, --token-file, /run/token, --password, --verbose, --port=80] }]",
    'database: { url: "postgresql://awoooi@db/awoooi" }',
    "retention: { repairs_per_key: 50 }",
    "intake: { bearer_tokens: [] }",
  ])("are none of %s", async (yaml) => {
    expect((await warned(yaml)).filter((one) => one.message.includes("secret"))).toEqual([]);
  });

  it.each([
    [process({ PORT: "8080", DB_PASSWORD: "hunter2" }), "processes.shop.env.DB_PASSWORD"],
    ...[
      "STRIPE_KEY",
      "SMTP_PASS",
      "PGPASS",
      "JWT",
      "GITHUB_PAT",
      "ENCRYPTIONKEY",
      "DB_CREDENTIAL_STRING",
      "SESSION",
      "KEY_PEM",
    ].map((name) => [process({ [name]: "abc" }), `processes.shop.env.${name}`] as [string, string]),
    [process({ DB: "postgres://ada:hunter2@db/shop" }), "processes.shop.env.DB"],
    [process({ EXTRA: `ghp_${"a".repeat(36)}` }), "processes.shop.env.EXTRA"],
    [tools("headers", { Authorization: "abc" }), "mcp.servers.docs.headers.Authorization"],
    [tools("headers", { "X-Api-Key": "abc" }), "mcp.servers.docs.headers.X-Api-Key"],
    [
      "processes: [{ name: shop, argv: [shop, --verbose, --token, hunter2 hunter2] }]",
      "processes.shop.argv.3",
    ],
    ["processes: [{ name: shop, argv: [env, DB_PASS=hunter2, shop] }]", "processes.shop.argv.1"],
    [hook("https://chat.example/hooks/T0/B0/xyz"), "notification.webhook.url"],
    ['database: { url: "postgresql://ada:hunter2@db/awoooi" }', "database.url"],
    ["intake: { hmac_secrets: [hunter2] }", "intake.hmac_secrets"],
  ])("are named as they were written: %s", async (yaml, path) => {
    const found = (await warned(yaml)).filter((one) => one.message.includes("secret in a file"));
    expect(found.map((one) => one.path)).toEqual([path]);
    expect(found[0]?.message).toContain(`chmod 600 '${join(folder, "open file.yaml")}'`);
  });

  it("can be put elsewhere in the way that the warning names", async () => {
    const inFile = "admin_token: hunter2-hunter2-hunter2-hunter2-hunter2";
    const [first] = await warned(inFile);
    expect(first?.message).toContain("AWOOOI_ADMIN_TOKEN_FILE");
    const held = await file("hunter2-hunter2-hunter2-hunter2-hunter2", "token");
    expect(await warned("", { AWOOOI_ADMIN_TOKEN_FILE: held })).toEqual([]);
    const ssh = (secret: string) =>
      `ssh: { hosts: [{ name: web-1, address: 10.0.0.5, user: a, ${secret} }], known_hosts: [${held}] }`;
    const [host] = await warned(ssh("password: hunter2"));
    expect(host?.message).toContain("ssh.hosts.web-1.password_file");
    expect((await warned(ssh(`password_file: ${held}`))).map((one) => one.message)).not.toContainEqual(
      expect.stringContaining("secret in a file"),
    );
    // Nothing else is promised where nothing else works.
    const inWords = "processes: [{ name: shop, argv: [shop, --token, hunter2] }]";
    for (const yaml of [process({ DB_PASSWORD: "x" }), inWords])
      expect((await warned(yaml))[0]?.message).not.toMatch(/_FILE|_file/);
  });

  it("are told from names that every object inherits", async () => {
    const path = await file(
      "constructor: { x: 1 }\nprocesses: [{ name: shop, argv: [node], toString: 1 }]",
      "strange",
    );
    expect(checkConfig({ file: path, env: {} }).errors).toEqual([
      expect.objectContaining({ path: "processes.0.toString" }),
      expect.objectContaining({ path: "constructor" }),
    ]);
  });
});

describe("showing a configuration", () => {
  const SECRET = "hunter2-hunter2-hunter2-hunter2-hunter2";
  const yaml = `
admin_token: ${SECRET}
intake:
  bearer_tokens: [${SECRET}]
  basic: [{ username: ada, password: ${SECRET} }]
notification: { webhook: { url: "https://chat.example/hook", secret: ${SECRET} } }
processes:
  - { name: shop, argv: [/bin/true, "--password=${SECRET}", --smtp-pass, ${SECRET}, "API_KEY=${SECRET}"], env: { A: ${SECRET} } }
sweep: { every: 1m }`;

  it("names where each setting comes from, and no secret", async () => {
    const path = await file(yaml);
    const url = `postgresql://ada:${SECRET}@db/x`;
    const { settings, hash } = showConfig({ file: path, env: { AWOOOI_PORT: "9000", DATABASE_URL: url } });
    const of = (name: string) => settings.find((one) => one.path === name);
    expect(of("server.host")).toEqual({ path: "server.host", value: "127.0.0.1", source: "default" });
    expect(of("server.port")).toEqual({ path: "server.port", value: 9000, source: "AWOOOI_PORT" });
    expect(of("sweep.every")).toEqual({ path: "sweep.every", value: 60, written: "1m", source: path });
    expect(of("approval.authority")).toMatchObject({ value: 600, written: "600s", source: "default" });
    expect(of("retention.incidents")).toMatchObject({ value: null, written: "forever" });
    expect(of("database.url")).toEqual({ path: "database.url", value: "[redacted]", source: "DATABASE_URL" });
    expect(of("intake.basic")?.value).toEqual([{ username: "ada", password: "[redacted]" }]);
    expect(JSON.stringify(settings)).not.toContain("hunter2");
    expect(hash).toMatch(/^[0-9a-f]{16}$/);
  });

  it("has a hash that follows the settings and the files that they name", async () => {
    const hash = async (text: string) => showConfig({ file: await file(text), env: {} }).hash;
    expect(await hash("sweep: { every: 60s }")).toBe(await hash("sweep: { every: 1m }"));
    expect(await hash("sweep: { every: 60s }")).not.toBe(await hash("sweep: { every: 61s }"));
    const rule = (risk: string) =>
      `- { id: a, targets: [any], propose: investigate, risk: ${risk}, reasoning: a }`;
    const rules = await file(rule("low"), "rules.yaml");
    const before = await hash(`decision: { rules: ${rules} }`);
    await file(rule("high"), "rules.yaml");
    expect(await hash(`decision: { rules: ${rules} }`)).not.toBe(before);
  });
});
