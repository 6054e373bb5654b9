import type { Context } from "./context.ts";
import type { Flags } from "./flags.ts";
import type { Word } from "./word.ts";

/** A parsed command of a tool, whose verb and flags are known: `kubectl rollout restart`, `docker compose restart`. */
type ToolCommand = {
  tool: "kubectl" | "docker" | "systemctl";
  verb: string;
  flags: Flags;
  operands: readonly Word[];
  context: Context;
};

export type KubectlCommand = ToolCommand & { tool: "kubectl" };
/** `compose`: the flags of compose itself, before its verb. */
export type DockerCommand = ToolCommand & { tool: "docker"; compose: Flags };
export type SystemctlCommand = ToolCommand & { tool: "systemctl" };
export type HostCommand = DockerCommand | SystemctlCommand;
