import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SEED } from "../../../test/support/random.ts";
import { duration } from "../../lib/duration.ts";
import { AwoooiError, type FieldError } from "../../lib/error.ts";
import { firstNames, loadConfig } from "./load.ts";
import type { Config } from "./schema.ts";

let folder: string;
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "awoooi-config-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(text: string): Promise<string> {
  count += 1;
  const path = join(folder, `${count}.yaml`);
  await writeFile(path, text);
  return path;
}
const load = async (yaml = "", env: NodeJS.ProcessEnv = {}): Promise<Config> =>
  loadConfig({ file: await file(yaml), env });

/** What is wrong with a configuration, by path. */
async function wrong(yaml: string, env: NodeJS.ProcessEnv = {}): Promise<Record<string, string>> {
  try {
    await load(yaml, env);
  } catch (error) {
    expect(error).toBeInstanceOf(AwoooiError);
    expect(error).toMatchObject({ code: "invalid" });
    return Object.fromEntries(
      (error as AwoooiError).errors.map(({ path, message }: FieldError) => [path, message]),
    );
  }
  throw new Error("the configuration was taken");
}

const ADMIN = "an-admin-token-of-more-than-32-characters";
/** Each name of the environment, a value, and the setting that it becomes. */
const NAMES: [string, string, (config: Config) => unknown, unknown][] = [
  ["AWOOOI_ENV", "prod", (config) => config.env, "prod"],
  ["ENVIRONMENT", "prod", (config) => config.env, "prod"],
  ["AWOOOI_DATA_DIR", "/srv/awoooi", (config) => config.data_dir, "/srv/awoooi"],
  ["AWOOOI_HOST", "0.0.0.0", (config) => config.server.host, "0.0.0.0"],
  ["AWOOOI_PORT", "9000", (config) => config.server.port, 9000],
  ["AWOOOI_LOG_LEVEL", "debug", (config) => config.server.log_level, "debug"],
  ["AWOOOI_ADMIN_TOKEN", ADMIN, (config) => config.admin_token, ADMIN],
  ["DATABASE_URL", "postgresql://db/awoooi", (config) => config.database.url, "postgresql://db/awoooi"],
  ["WEBHOOK_HMAC_SECRET", "hush", (config) => config.intake.hmac_secrets, ["hush"]],
  ["NOTIFICATION_ENABLED", "false", (config) => config.notification.enabled, false],
];

describe("the environment that it is for", () => {
  it.each(["prod", "PROD", "Production", " production "])(
    "is production where anybody says so: %j",
    async (said) => {
      for (const name of ["ENVIRONMENT", "AWOOOI_ENV"])
        expect(loadConfig({ env: { [name]: said } }).env).toBe("prod");
      // Whatever else is said: that it is less strict must not be an accident.
      for (const own of ["dev", "development", ""])
        expect(loadConfig({ env: { ENVIRONMENT: said, AWOOOI_ENV: own } }).env).toBe("prod");
      expect(await load("env: dev", { ENVIRONMENT: said })).toMatchObject({ env: "prod" });
    },
  );

  it("is not made less strict by a name that others use too", async () => {
    for (const said of ["dev", "development", "staging", "local", "", "preprod", "non-prod"]) {
      expect(await load("env: prod", { ENVIRONMENT: said })).toMatchObject({ env: "prod" });
      expect(loadConfig({ env: { ENVIRONMENT: said, AWOOOI_ENV: "prod" } }).env).toBe("prod");
      expect(loadConfig({ env: { ENVIRONMENT: said } }).env).toBe("dev");
    }
    expect(firstNames({ ENVIRONMENT: "prod", AWOOOI_ENV: "dev" })).toMatchObject([{ name: "AWOOOI_ENV" }]);
    expect(firstNames({ ENVIRONMENT: "staging" })).toMatchObject([{ name: "ENVIRONMENT" }]);
    expect(firstNames({ ENVIRONMENT: "Production", AWOOOI_ENV: "prod" })).toEqual([]);
    expect(firstNames({ LANGFUSE_URL: "http://x" })).toMatchObject([{ name: "LANGFUSE_URL" }]);
  });
});

describe("the configuration", () => {
  it("is complete without a file and without an environment", async () => {
    const config = loadConfig({ env: {} });
    expect(config).toMatchObject({
      env: "dev",
      server: { host: "127.0.0.1", port: 8000 },
      approval: {
        required_signatures: { low: 1, medium: 1, high: 2, critical: 2 },
        expires_after: 3600,
        authority: 600,
      },
      execution: { retries: 2, retry_wait: 30 },
      verification: { wait: 10, collect: 30 },
      incident: { active_window: 300, repair_window: 1800, cool_down: 1800 },
      decision: { mode: "suggest", time: 30 },
      intake: { body_limit: 5 * 1024 * 1024 },
    });
    expect(await load("")).toEqual(config);
    expect(await load("# nothing yet\n")).toEqual(config);
  });

  it.each(NAMES)("takes %s from the environment", async (name, value, of, expected) => {
    expect(of(await load("", { [name]: value }))).toEqual(expected);
    expect(of(await load("", { [`${name}_FILE`]: await file(`${value}\n`) }))).toEqual(expected);
  });

  it("prefers the environment to the file, and a value to the file that may hold one", async () => {
    const yaml = "server: { port: 1, host: a.example }\nnotification: { enabled: false }";
    const { server, notification } = await load(yaml, { AWOOOI_PORT: "2", NOTIFICATION_ENABLED: "yes" });
    expect(server).toMatchObject({ port: 2, host: "a.example" });
    expect(notification.enabled).toBe(true);
    const both = { AWOOOI_PORT: "3", AWOOOI_PORT_FILE: await file("4") };
    expect((await load(yaml, both)).server.port).toBe(3);
  });

  it("adds the secret of the environment to those of the file: while one replaces another both are valid", async () => {
    const env = { WEBHOOK_HMAC_SECRET: "new" };
    expect((await load("intake: { hmac_secrets: [old] }", env)).intake.hmac_secrets).toEqual(["old", "new"]);
    expect(await wrong("intake: { hmac_secrets: [5] }", env)).toHaveProperty("intake.hmac_secrets.0");
  });

  it("takes an empty name for one that is not set", async () => {
    expect((await load("server: { port: 1 }", { AWOOOI_PORT: "" })).server.port).toBe(1);
  });

  it("reads the file that AWOOOI_CONFIG names, unless another is asked for", async () => {
    const named = await file("server: { port: 5 }");
    const asked = await file("server: { port: 6 }");
    expect(loadConfig({ env: { AWOOOI_CONFIG: named } }).server.port).toBe(5);
    expect(loadConfig({ file: asked, env: { AWOOOI_CONFIG: named } }).server.port).toBe(6);
  });

  it("says of a file that is named and cannot be read which it is", async () => {
    const missing = join(folder, "missing");
    for (const options of [{ file: missing, env: {} }, { env: { AWOOOI_CONFIG: missing } }]) {
      expect(() => loadConfig(options)).toThrow(AwoooiError);
    }
    expect(await wrong("", { DATABASE_URL_FILE: missing })).toEqual({
      DATABASE_URL_FILE: expect.stringContaining(missing),
    });
  });

  it("says everything that is wrong at once", async () => {
    const missing = join(folder, "missing");
    const yaml = "server: { port: 70000 }\ndecision: { mode: always }\nsweep: { every: soon }\nsevrer: {}";
    const errors = await wrong(yaml, { AWOOOI_ENV: "test", AWOOOI_ADMIN_TOKEN_FILE: missing });
    expect(Object.keys(errors).sort()).toEqual([
      "AWOOOI_ADMIN_TOKEN_FILE",
      "decision.mode",
      "env",
      "server.port",
      "sevrer",
      "sweep.every",
    ]);
  });

  it.each([
    ["servr: {}", "servr", "server"],
    ["server: { prot: 1 }", "server.prot", "port"],
    ["intake: { backlog: { recepits: 1 } }", "intake.backlog.recepits", "receipts"],
    ["approval: { required_signatures: { hihg: 1 } }", "approval.required_signatures.hihg", "high"],
    [
      "intake: { basic: [{ username: a, password: secret-one, usernmae: b }] }",
      "intake.basic.0.usernmae",
      "username",
    ],
    ["processes: [{ name: web, argv: [/bin/true], agrv: [] }]", "processes.0.agrv", "argv"],
  ])("suggests the name that was meant: %s", async (yaml, path, meant) => {
    expect((await wrong(yaml))[path]).toContain(`did you mean \`${meant}\`?`);
  });

  it("suggests nothing where nothing is close", async () => {
    expect((await wrong("wibble: 1")).wibble).toBe("there is no such setting");
  });

  it.each(["- a\n- b", "just words", "a: [1", "server: {}\nserver: {}", "a: *nowhere"])(
    "refuses what is no file of settings: %j",
    async (yaml) => {
      expect(Object.values(await wrong(yaml))).not.toEqual([]);
    },
  );

  it("refuses a short admin token without showing it, wherever it comes from", async () => {
    const short = "hunter2-S3cr3t";
    const ways: [string, NodeJS.ProcessEnv][] = [
      [`admin_token: ${short}`, {}],
      ["", { AWOOOI_ADMIN_TOKEN: short }],
      ["", { AWOOOI_ADMIN_TOKEN_FILE: await file(short) }],
    ];
    for (const [yaml, env] of ways) {
      const errors = await wrong(yaml, env);
      expect(errors.admin_token).toContain("32 characters");
      expect(JSON.stringify(errors)).not.toContain(short);
    }
  });

  it("shows no secret of a file that cannot be parsed, or that has it in the wrong place", async () => {
    for (const yaml of [
      'admin_token: "hunter2-S3cr3t\n',
      "admin_token: [hunter2-S3cr3t",
      "database: { url: mysql://ada:hunter2-S3cr3t@db }",
      "admin_token: { hunter2: 1 }",
      "intake: { bearer_tokens: hunter2-S3cr3t }",
    ]) {
      expect(JSON.stringify(Object.values(await wrong(yaml)))).not.toContain("hunter2");
    }
  });

  it("is frozen in every part", async () => {
    const config = await load("processes: [{ name: web, argv: [/bin/true] }]");
    const parts: object[] = [config];
    for (const part of parts) {
      expect(Object.isFrozen(part)).toBe(true);
      for (const value of Object.values(part))
        if (value !== null && typeof value === "object") parts.push(value);
    }
    expect(parts.length).toBeGreaterThan(10);
  });
});

describe("a duration", () => {
  it.each([
    ["500ms", 0.5],
    ["30s", 30],
    ["10m", 600],
    ["1.5h", 5400],
    ["7d", 604_800],
    ["0s", 0],
    [90, 90],
    [0, 0],
  ])("%j is %d seconds", (text, seconds) => {
    expect(duration.parse(text)).toBeCloseTo(seconds);
  });

  it("has as many seconds as its unit says, for any number", () => {
    const units = { ms: 0.001, s: 1, m: 60, h: 3_600, d: 86_400 };
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 366 }),
        fc.constantFrom(...Object.keys(units)),
        (number, unit) => {
          expect(duration.parse(`${number}${unit}`)).toBeCloseTo(number * units[unit as keyof typeof units]);
        },
      ),
      { seed: SEED },
    );
  });

  it.each([
    "",
    "soon",
    "5",
    "-5s",
    "5 s",
    "5S",
    "1e3s",
    "1h30m",
    ".5s",
    "5.s",
    "500d",
    -1,
    1e12,
    Number.NaN,
    true,
  ])("%j is none", async (value) => {
    expect(duration.safeParse(value).success).toBe(false);
  });

  it("that is none is refused with how to write one", async () => {
    expect((await wrong("sweep: { every: soon }"))["sweep.every"]).toContain("30s");
  });
});
