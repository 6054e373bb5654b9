import type { Check } from "../../../../contract/approval.ts";
import type { ActResult, DryRun, Resolution } from "../../../../execution/index.ts";
import { clip } from "../../../../lib/clip.ts";
import { closeNames } from "../../../../lib/close-names.ts";
import type { containerName, Operation, unitName } from "../../../../operation/index.ts";
import type { Host } from "../connection/host.ts";
import { inLine } from "../text.ts";

export type Effect = "done" | "not_done" | "cannot_tell";
export type TargetHealth = { healthy: boolean | null; facts: Check[] };
type Snapshot = Record<string, unknown>;
type OnHost = Extract<Operation, { target: { kind: "host" } }>;

/** One operation on its host. All methods except `act` only read. */
export type Task = {
  resolve(): Promise<Resolution>;
  dryRun(): Promise<DryRun>;
  snapshot(): Promise<Snapshot>;
  act(signal: AbortSignal): Promise<ActResult>;
  /** Returns whether the change planned after the snapshot `before` has been made. */
  effect(before: Snapshot): Promise<Effect>;
  /** Observes the target's health; with the snapshot `before`, also whether the action worked. */
  observe(now: Date, before?: Snapshot): Promise<TargetHealth>;
  /** Why it cannot be undone. */
  undo: string;
};

/** Resolves the operation to the host's configured name, by whatever name it was found. */
export function onHost(host: Pick<Host, "name">, operation: OnHost): Resolution {
  const exact = { ...operation, target: { ...operation.target, name: host.name } } as OnHost;
  return { result: "hit", exact };
}

/** Returns suggestions of similar names for one that does not exist, or a miss. */
export function notFound(what: string, wanted: string, there: readonly string[]): Resolution {
  const names = closeNames(wanted, there).slice(0, 5);
  if (names.length > 0) return { result: "suggestion", names };
  return { result: "miss", message: `${what} "${clip(wanted, 100)}" does not exist` };
}

/** Returns why a name must not be sent to a host; null: it may. For systemd, `*` would mean every unit. */
export function invalidNameReason(
  name: string,
  valid: typeof unitName | typeof containerName,
): string | null {
  const [issue] = valid.safeParse(name).error?.issues ?? [];
  return issue === undefined ? null : `"${inLine(name, 100)}" ${issue.message}`;
}

/** Returns a miss for a name that exists but that the configuration does not allow acting on. */
export function notAllowed(what: string, name: string, setting: string): Resolution {
  return { result: "miss", message: `${what} "${name}" is not allowed by ssh.hosts.${setting}` };
}

/**
 * Returns whether something was restarted since the snapshot, by comparing what identifies a start. If its supervisor
 * restarted it by itself (`restarts` grew), that cannot be told.
 */
export function startedAnew(
  before: { start: unknown; restarts: unknown },
  now: { start: string; restarts: number },
): Effect {
  if (typeof before.start !== "string" || now.start === "") return "cannot_tell";
  if (before.start === now.start) return "not_done";
  return typeof before.restarts === "number" && now.restarts > before.restarts ? "cannot_tell" : "done";
}

/** Returns whether its supervisor restarted it since the snapshot: its count is neither 0 nor unchanged. */
export function keepsRestarting(before: unknown, restarts: number): boolean {
  return restarts > 0 && restarts !== before;
}
