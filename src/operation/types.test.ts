import { describe, expect, it } from "vitest";
import { manualCommand, operation } from "./index.ts";

const restart = (name: string, namespace: unknown = "prod") =>
  operation.safeParse({
    kind: "kubernetes.rollout_restart",
    target: { kind: "deployment", name, namespace },
    parameters: {},
  });

describe("an operation on a cluster", () => {
  it.each(["api", "api-7", "a.b.c", "x".repeat(253)])("may be on %s", (name) => {
    expect(restart(name).success).toBe(true);
  });

  it.each([
    "$(reboot)",
    "api; rm -rf /",
    "-n",
    "--all",
    "api prod",
    "API",
    "",
    "x".repeat(254),
    "api\n",
    "`id`",
  ])("is refused on %j: people copy commands with the name into their shells", (name) => {
    expect(restart(name).success).toBe(false);
    expect(restart("api", name).success).toBe(false);
  });

  it("says how it is done by hand", () => {
    const parsed = restart("api");
    expect(parsed.success && manualCommand(parsed.data)).toBe(
      "kubectl rollout restart deployment/api -n prod",
    );
  });
});
