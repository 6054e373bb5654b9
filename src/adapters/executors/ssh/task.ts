import type { Check } from "../../../contract/approval.ts";
import type { ActResult, DryRun, Resolution } from "../../../execution/index.ts";
import { clip } from "../../../lib/clip.ts";
import { closeNames } from "../../../lib/close-names.ts";
import type { containerName, Operation, unitName } from "../../../operation/index.ts";
import type { Host } from "./host.ts";
import { inLine } from "./text.ts";

export type Effect = "done" | "not_done" | "cannot_tell";
export type Seen = { healthy: boolean | null; facts: Check[] };
type Snapshot = Record<string, unknown>;
type OnHost = Extract<Operation, { target: { kind: "host" } }>;

/** One operation on its host. Methods look, except `act`. */
export type Task = {
  resolve(): Promise<Resolution>;
  dryRun(): Promise<DryRun>;
  snapshot(): Promise<Snapshot>;
  act(signal: AbortSignal): Promise<ActResult>;
  /** Whether what was about to be done after `before` has been done. */
  effect(before: Snapshot): Promise<Effect>;
  /** Whether it is well; with `before`, whether it is well after what was done. */
  observe(now: Date, before?: Snapshot): Promise<Seen>;
  /** Why nothing takes it back. */
  undo: string;
};

/** A host that is found, by whatever name: the operation is on the one of its configuration. */
export function onHost(host: Pick<Host, "name">, operation: OnHost): Resolution {
  const exact = { ...operation, target: { ...operation.target, name: host.name } } as OnHost;
  return { result: "hit", exact };
}

/** What a name that is not there may have meant. */
export function notFound(what: string, wanted: string, there: readonly string[]): Resolution {
  const names = closeNames(wanted, there).slice(0, 5);
  if (names.length > 0) return { result: "suggestion", names };
  return { result: "miss", message: `${what} "${clip(wanted, 100)}" is not there` };
}

/** Why a name must not reach a host; null: it may. To systemd `*` is every unit. */
export function nameGap(name: string, valid: typeof unitName | typeof containerName): string | null {
  const [issue] = valid.safeParse(name).error?.issues ?? [];
  return issue === undefined ? null : `"${inLine(name, 100)}" ${issue.message}`;
}

/** A name that is there, and that the configuration does not let be acted on. */
export function notAllowed(what: string, name: string, setting: string): Resolution {
  return { result: "miss", message: `${what} "${name}" is not among those that ssh.hosts.${setting} allows` };
}

/**
 * Whether something was started anew since the snapshot, from what tells one start from the next. What its
 * supervisor has started again by itself (`restarts` grew) is nobody's doing.
 */
export function startedAnew(
  before: { start: unknown; restarts: unknown },
  now: { start: string; restarts: number },
): Effect {
  if (typeof before.start !== "string" || now.start === "") return "cannot_tell";
  if (before.start === now.start) return "not_done";
  return typeof before.restarts === "number" && now.restarts > before.restarts ? "cannot_tell" : "done";
}

/** Restarts by its supervisor since we restarted it; a count that was not reset counts on. */
export function keepsRestarting(before: unknown, restarts: number): boolean {
  return restarts > 0 && restarts !== before;
}
