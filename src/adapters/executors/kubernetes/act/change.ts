import type { Check } from "../../../../contract/approval.ts";
import type { ActResult, DryRun, Run } from "../../../../execution/index.ts";
import { wait } from "../../../../lib/wait.ts";
import type { Cluster } from "../cluster/client.ts";
import { type Failure, failureOf, plain } from "../cluster/failure.ts";
import { type Changeable, type ObjectRef, pathOf, read, resourceOf } from "../cluster/objects.ts";
import { objectOwners } from "../cluster/owners.ts";
import { checkPermissions, type Permission } from "../cluster/permission.ts";
import { EXECUTION } from "./annotations.ts";
import { fieldDiff } from "./diff.ts";
import { type Signed, type Snapshot, signedValue } from "./snapshot.ts";

/** The strategic merge patch to send for the object as it is now, or the reason why none is sent. */
export type Planned = { patch: object } | { nothing: string } | { impossible: string };

/** The execution that a change is marked with in an annotation; a dry-run is not marked. */
export type Mark = { execution_id: string; at: Date };

/** An operation that is one patch of one object. */
export type Change = {
  place: ObjectRef;
  /** Fields that must be the same as in the snapshot. */
  signed: readonly Signed[];
  /** Returns the object's state, for comparison with the snapshot. */
  state(object: Changeable): Snapshot;
  plan(object: Changeable, mark: Mark): Planned | Promise<Planned>;
  /** Permissions that the account needs besides those to get and patch the object. */
  permissions?: readonly Permission[];
  checks?(object: Changeable): Promise<Check[]>;
  affectedPods?(before: Changeable, after: Changeable): number;
};

const ROUNDS = 5;
const STRATEGIC = "application/strategic-merge-patch+json";

const refused = (error: string): ActResult => ({ ok: false, error, sent: false });

export function failed({ message, status, sent }: Failure, what: string): ActResult {
  const error = `${what}: ${message}`;
  return { ok: false, error, sent, ...(status === undefined ? {} : { status }) };
}

const executionOf = (object: { metadata: Changeable["metadata"] }) =>
  object.metadata.annotations?.[EXECUTION];

function patched(patch: object, { metadata }: Changeable, mark: Mark | undefined): object {
  const { metadata: more = {}, ...rest } = patch as { metadata?: object };
  const annotations = mark === undefined ? {} : { annotations: { [EXECUTION]: mark.execution_id } };
  // With the resource version that it was planned from, any change made in between causes a conflict.
  return { ...rest, metadata: { ...more, ...annotations, resourceVersion: metadata.resourceVersion } };
}

type Sending = { dryRun?: boolean; mark?: Mark; signal?: AbortSignal };

function send(cluster: Cluster, change: Change, object: Changeable, patch: object, how: Sending) {
  return cluster.raw<Changeable>({
    method: "PATCH",
    path: pathOf(change.place),
    query: { fieldManager: "awoooi", ...(how.dryRun ? { dryRun: "All" } : {}) },
    type: STRATEGIC,
    body: patched(patch, object, how.mark),
    signal: how.signal,
  });
}

/** Returns how the object has changed since the snapshot, if that makes the approved change a different one. */
function changed(change: Change, object: Changeable, before: Partial<Snapshot>): string | undefined {
  const { kind, name } = change.place;
  if (before.uid === undefined) return "there is no snapshot to compare it with";
  if (object.metadata.uid !== before.uid) return `${kind} ${name} was deleted and recreated since`;
  const state = change.state(object);
  for (const field of change.signed) {
    const [was, is] = [signedValue(before, field), signedValue(state, field)];
    if (was === is) continue;
    return field === "template_hash"
      ? `the pod template of ${kind} ${name} has changed since the snapshot`
      : `${field} of ${kind} ${name} has changed from ${was} to ${is} since the snapshot`;
  }
  return undefined;
}

/** Waits the server's Retry-After (of a 429 or 503, 30 s at most). False: it set none, or `signal` was aborted. */
export async function waitForRetryAfter(failure: Failure, signal: AbortSignal): Promise<boolean> {
  const { status, retryAfter } = failure;
  if ((status !== 429 && status !== 503) || retryAfter === undefined || retryAfter > 30) return false;
  await wait(retryAfter * 1000, signal);
  return !signal.aborted;
}

type PlannedChange = { object: Changeable; planned: Planned } | { failure: Failure };

/** Reads the object and plans the change of it. Changes nothing. */
async function planChange(
  cluster: Cluster,
  change: Change,
  mark: Mark,
  signal?: AbortSignal,
): Promise<PlannedChange> {
  try {
    const object = await read<Changeable>(cluster, change.place, signal);
    return { object, planned: await change.plan(object, mark) };
  } catch (error) {
    return { failure: failureOf(error) };
  }
}

/** Makes the change at most once per execution id: a second attempt finds the mark of the first. */
export async function actOn(
  cluster: Cluster,
  change: Change,
  run: Run,
  signal: AbortSignal,
): Promise<ActResult> {
  const { kind, name } = change.place;
  const mark: Mark = { execution_id: run.execution_id, at: new Date() };
  for (let round = 1; ; round += 1) {
    if (signal.aborted) return refused("cancelled before it began");
    const looked = await planChange(cluster, change, mark, signal);
    if ("failure" in looked) {
      if (round < ROUNDS && (await waitForRetryAfter(looked.failure, signal))) continue;
      return failed({ ...looked.failure, sent: false }, `${kind} ${name} could not be read`);
    }
    const { object, planned } = looked;
    if (executionOf(object) === run.execution_id)
      return { ok: true, output: `Already done by this execution: ${kind} ${name}` };
    const other = changed(change, object, run.before as Partial<Snapshot>);
    if (other !== undefined) return refused(`Nothing was changed: ${other}`);
    if ("nothing" in planned) return { ok: true, output: `Nothing to do: ${planned.nothing}` };
    if ("impossible" in planned) return refused(`Nothing was changed: ${planned.impossible}`);
    try {
      const after = await send(cluster, change, object, planned.patch, { mark, signal });
      return { ok: true, output: fieldDiff(object, after) ?? `${kind} ${name} already had the wanted state` };
    } catch (error) {
      const failure = failureOf(error);
      // The object was changed in between: read it again, and continue only if it still matches the snapshot.
      if (round < ROUNDS && failure.status === 409) continue;
      if (round < ROUNDS && (await waitForRetryAfter(failure, signal))) continue;
      return failed(failure, `${kind} ${name} was not changed`);
    }
  }
}

/** Returns permissions, checks, diff and affected pods of the change, by a server-side dry-run. */
export async function dryRunOf(cluster: Cluster, change: Change): Promise<DryRun> {
  const { kind, name, namespace } = change.place;
  const { group, resource } = resourceOf(kind);
  const own = (["get", "patch"] as const).map((verb) => ({ verb, group, resource, namespace, name }));
  const permission = await checkPermissions(cluster, [...own, ...(change.permissions ?? [])]);
  const tried = (passed: boolean, message: string): Check => ({
    name: "server-side dry-run",
    passed,
    message,
  });
  const looked = await planChange(cluster, change, { execution_id: "dry-run", at: new Date() });
  if ("failure" in looked)
    return { checks: [permission, tried(false, `${kind} ${name}: ${looked.failure.message}`)] };
  const { object, planned } = looked;
  const more = (await change.checks?.(object)) ?? [];
  if ("nothing" in planned)
    return {
      checks: [permission, tried(true, `nothing will change: ${planned.nothing}`), ...more],
      diff: null,
      // There may be something to change by the time of the execution.
      belongs_to: objectOwners(object),
    };
  if ("impossible" in planned)
    return { checks: [permission, tried(false, planned.impossible), ...more], diff: null };
  try {
    const after = await send(cluster, change, object, planned.patch, { dryRun: true });
    const diff = fieldDiff(object, after);
    const said = diff === null ? "nothing would change" : "the API server accepts it";
    return {
      checks: [permission, tried(true, said), ...more],
      diff,
      belongs_to: objectOwners(object),
      affected_pods: change.affectedPods?.(object, after) ?? 0,
    };
  } catch (error) {
    return { checks: [permission, tried(false, plain(failureOf(error).message)), ...more], diff: null };
  }
}

/** Tells whether an execution made the change: by its mark, else by whether the object is as in the snapshot. */
export async function effectOn(
  cluster: Cluster,
  change: Change,
  run: Run,
): Promise<"done" | "not_done" | "cannot_tell"> {
  const before = run.before as Partial<Snapshot>;
  let object: Changeable;
  try {
    object = await read<Changeable>(cluster, change.place);
  } catch {
    return "cannot_tell";
  }
  if (executionOf(object) === run.execution_id) return "done";
  const { uid, generation } = object.metadata;
  if (uid !== before.uid) return "cannot_tell";
  // Every change of an object's spec raises its generation, if it has one.
  const same =
    generation === undefined
      ? changed(change, object, before) === undefined
      : generation === before.generation;
  return same ? "not_done" : "cannot_tell";
}
