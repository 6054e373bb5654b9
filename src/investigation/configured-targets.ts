import {
  CLUSTER_KINDS,
  type DiagnosisQuery,
  HOST_KINDS,
  type TargetCandidate,
} from "../contract/evidence.ts";
import type { OperationTarget } from "../contract/incident.ts";
import { hostNamed, type KnownTargets } from "../incident/index.ts";
import { closeNames } from "../lib/close-names.ts";
import { withArticle } from "../lib/words.ts";
import type { Investigator } from "./types.ts";

/** Most names that a message lists. */
const LISTED = 20;

const looks = (investigators: readonly Investigator[], target: OperationTarget) =>
  investigators.some((one) => one.investigates(target));

/** Returns the configured processes and hosts with this name, for a query that gives neither kind nor place. */
export function targetsNamed(
  { kind, name, namespace, cluster, host }: DiagnosisQuery,
  { processes, hosts }: KnownTargets,
): TargetCandidate[] {
  if (kind !== "unknown" || (namespace ?? cluster ?? host) !== undefined) return [];
  const process = processes.includes(name) ? [{ kind: "process", name }] : [];
  const machine = hostNamed(name, hosts);
  return [
    ...process.map((target) => ({ target, reason: "a process of this name is supervised" })),
    ...(machine === undefined ? [] : [{ target: machine, reason: "a host of this name is configured" }]),
  ];
}

const several = (names: readonly string[]) =>
  names.length <= LISTED
    ? names.join(", ")
    : `${names.slice(0, LISTED).join(", ")} and ${names.length - LISTED} more`;

/** Returns a sentence on what can be investigated, beginning with a blank. */
function whatThereIs(
  { processes, hosts = [] }: KnownTargets,
  investigators: readonly Investigator[],
): string {
  const named = [...processes.map((name) => `process/${name}`), ...hosts.map(({ name }) => `host/${name}`)];
  const inCluster = CLUSTER_KINDS.filter((kind) => looks(investigators, { kind, name: "any" }));
  const [host] = hosts;
  const onHost = host === undefined ? [] : HOST_KINDS.map((kind) => `${kind}/NAME with --host ${host.name}`);
  const can = [
    ...(named.length === 0 ? [] : [several(named)]),
    ...(inCluster.length === 0 ? [] : [`${inCluster.map((kind) => `${kind}/NAME`).join(", ")} of a cluster`]),
    ...onHost,
  ];
  return can.length === 0
    ? " No target is configured: see processes, ssh and kubernetes in awoooi.yaml."
    : ` Targets: ${can.join("; ")}.`;
}

/** Returns a question naming configured targets whose names are close to an unknown one; empty if there are none. */
export function didYouMean({ kind, name }: DiagnosisQuery, { processes, hosts = [] }: KnownTargets): string {
  const named = [
    ...processes.map((one) => [one, `process/${one}`] as const),
    ...hosts.flatMap((one) => one.names.map((also) => [also, `host/${one.name}`] as const)),
  ];
  const close = closeNames(
    name,
    named.map(([one]) => one),
  );
  const meant = [
    ...new Set(close.flatMap((one) => named.filter(([also]) => also === one).map(([, to]) => to))),
  ];
  const ofKind = meant.filter((one) => kind === "unknown" || one.startsWith(`${kind}/`));
  return ofKind.length === 0 ? "" : ` Did you mean ${ofKind.slice(0, 3).join(" or ")}?`;
}

/** Returns why a target cannot be investigated, and what can be. `wrong`: its kind is not known here; else it does not exist. */
export function unknownTarget(
  query: DiagnosisQuery,
  known: KnownTargets,
  investigators: readonly Investigator[],
): { wrong: boolean; message: string } {
  const { kind, name } = query;
  const there = whatThereIs(known, investigators);
  const close = didYouMean(query, known);
  if (kind === "unknown")
    return { wrong: false, message: `No configured target is called ${name}.${close}${there}` };
  const missing =
    (kind === "process" && known.processes.length > 0) || (kind === "host" && (known.hosts ?? []).length > 0);
  if (missing) return { wrong: false, message: `No ${kind} ${name} is configured.${close}${there}` };
  const [like] = closeNames(kind, ["process", "host", ...CLUSTER_KINDS, ...HOST_KINDS]);
  const meant = like === undefined || like === kind ? "" : ` Did you mean ${like}/${name}?`;
  return {
    wrong: true,
    message: `No configured investigator can inspect ${withArticle(kind)}.${meant}${there}`,
  };
}
