import { describe, expect, it } from "vitest";
import { FakeServer } from "../../../test/support/cli-server.ts";
import { MAX_TEXT, OPERATION_KINDS } from "../../operation/index.ts";

// A server that is not there: none must be needed.
const nowhere = new FakeServer();
const run = (argv: readonly string[], stdin = "") =>
  nowhere.awoooi(["operations", ...argv], { env: { AWOOOI_URL: "http://127.0.0.1:1" }, stdin });

describe("operations parse", () => {
  it("answers every line with one line of JSON", async () => {
    const inputs = [
      "kubectl rollout restart deployment/api -n prod",
      "kubectl get pods",
      "",
      "rm -rf /",
      "kubectl get pods\u001b[2J\u009b2J \u202e\u2028",
      "x".repeat(10 * MAX_TEXT),
    ];
    const { code, stdout } = await run(["parse"], `${inputs.join("\n")}\r\nNO_ACTION`);
    expect(code).toBe(0);
    expect(stdout.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u2028\u202e]/u);
    const answers = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(answers.map((one) => one.class)).toEqual([
      "operation",
      "read_only",
      "read_only",
      "refused",
      "read_only",
      "refused",
      "read_only",
    ]);
    expect(answers.slice(0, 5).map((one) => one.input)).toEqual(inputs.slice(0, 5));
    expect(answers[5].input).toBe("x".repeat(8 * MAX_TEXT));
    expect(Object.keys(answers[0])).toEqual(["input", "class", "operation", "approval", "reason"]);
    expect(answers[0]).toMatchObject({
      operation: {
        kind: "kubernetes.rollout_restart",
        target: { kind: "deployment", name: "api", namespace: "prod" },
        parameters: {},
      },
      approval: "required",
    });
  });

  it("answers nothing with nothing, and a line end with one line", async () => {
    expect(await run(["parse"])).toMatchObject({ code: 0, stdout: "" });
    expect((await run(["parse"], "\n")).stdout.split("\n")).toHaveLength(2);
  });
});

describe("operations ls", () => {
  it("lists every operation", async () => {
    const { items } = JSON.parse((await run(["ls", "--json"])).stdout);
    expect(items.map((one: { kind: string }) => one.kind)).toEqual(OPERATION_KINDS);
    expect((await run(["ls"])).stdout).toMatch(/host\.docker_prune +ssh_docker_prune +admin +high/);
  });
});
