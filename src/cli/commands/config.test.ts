import { describe, expect, it } from "vitest";
import { as, FakeServer, refusal } from "../../../test/support/cli-server.ts";
import { configStatus, reloaded } from "../../contract/system.ts";
import { runCli } from "../index.ts";
import type { LocalConfig } from "../io.ts";

const STATUS = { hash: "0123456789abcdef", loaded_at: "2026-07-01T12:00:00.000Z" };

async function local(argv: readonly string[], config: Partial<LocalConfig>) {
  let stdout = "";
  let stderr = "";
  const asked: unknown[] = [];
  const keep =
    <T>(answer: T) =>
    (options: unknown) => {
      asked.push(options);
      return answer;
    };
  const all: LocalConfig = {
    checkConfig: keep(config.checkConfig?.({ env: {} }) ?? { file: null, errors: [], warnings: [] }),
    showConfig: keep(config.showConfig?.({ env: {} }) ?? { hash: "", settings: [] }),
    localSources: () => {
      throw new Error("nothing is understood here");
    },
    configJsonSchema: () => ({ type: "object" }),
    configReference: () => "env: dev\n",
  };
  async function* stdin() {}
  const code = await runCli(["config", ...argv], {
    env: { AWOOOI_PORT: "1" },
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    stdin: stdin(),
    isTTY: false,
    config: async () => all,
  });
  return { code, stdout, stderr, asked };
}

describe("config check", () => {
  it("tells errors before warnings and ends with 2", async () => {
    const checkConfig = () => ({
      file: "a.yaml",
      errors: [{ path: "server.port", message: "too \u001b[31mlarge" }],
      warnings: [{ path: "AWOOOI_PROT", message: "means nothing" }],
    });
    const { code, stdout, asked } = await local(["check", "--config", "a.yaml"], { checkConfig });
    expect(code).toBe(2);
    expect(stdout).toMatch(/error +server\.port: too large\nwarning +AWOOOI_PROT: means nothing\n/);
    expect(asked).toEqual([{ file: "a.yaml", env: { AWOOOI_PORT: "1" } }]);
    const { stdout: json } = await local(["check", "--json"], { checkConfig });
    expect(JSON.parse(json)).toEqual(checkConfig());
  });

  it("takes the file as an argument, too, and not two of them", async () => {
    for (const verb of ["check", "show"]) {
      expect((await local([verb, "b.yaml"], {})).asked).toEqual([
        { file: "b.yaml", env: { AWOOOI_PORT: "1" } },
      ]);
      expect((await local([verb], {})).asked).toEqual([{ env: { AWOOOI_PORT: "1" } }]);
      const two = await local([verb, "b.yaml", "--config", "a.yaml"], {});
      expect(two).toMatchObject({ code: 2, asked: [], stderr: expect.stringContaining("b.yaml and a.yaml") });
    }
  });

  it("ends with 0 when there are only warnings", async () => {
    const checkConfig = () => ({ file: null, errors: [], warnings: [{ path: "a", message: "b" }] });
    expect((await local(["check"], { checkConfig })).code).toBe(0);
  });
});

describe("config show and schema", () => {
  it("shows each setting with its source", async () => {
    const settings = [
      { path: "server.port", value: 9000, source: "AWOOOI_PORT" },
      { path: "intake.proxies", value: [], source: "default" },
      { path: "sweep.every", value: 60, written: "1m", source: "default" },
    ];
    const { stdout } = await local(["show"], { showConfig: () => ({ hash: STATUS.hash, settings }) });
    expect(stdout).toMatch(/server\.port +9000 +AWOOOI_PORT/);
    expect(stdout).toMatch(/intake\.proxies +\[\] +default/);
    expect(stdout).toMatch(/sweep\.every +1m +default/);
    expect(stdout).toContain(STATUS.hash);
  });

  it("prints the schema as JSON", async () => {
    expect(JSON.parse((await local(["schema"], {})).stdout)).toEqual({ type: "object" });
  });
});

describe("config reload and status", () => {
  it("says what changed, or why nothing did", async () => {
    const server = new FakeServer();
    await server.start();
    try {
      const changed = ["decision.mode"];
      server.answers["POST /config/reload"] = as(reloaded, { ...STATUS, changed });
      expect((await server.awoooi(["config", "reload"])).stdout).toContain("decision.mode");
      server.answers["GET /config"] = as(configStatus, STATUS);
      expect((await server.awoooi(["config", "status"])).stdout).toContain(STATUS.hash);
      const errors = [{ path: "server.port", message: "cannot change while the server runs" }];
      server.answers["POST /config/reload"] = refusal("restart_needed", "A restart.", { errors });
      const refused = await server.awoooi(["config", "reload"]);
      expect(refused).toMatchObject({ code: 5, stdout: "" });
      expect(refused.stderr).toContain("server.port: cannot change");
    } finally {
      server.stop();
    }
  });
});
