import { z } from "zod";
import { shellQuoted } from "../lib/shell.ts";
import type { OperationDefinition, Traits as TraitsOf } from "./kind.ts";
import { clearDockerLogs } from "./kinds/host-clear-docker-logs.ts";
import { diagnoseHost } from "./kinds/host-diagnose.ts";
import { dockerComposeRestart } from "./kinds/host-docker-compose-restart.ts";
import { dockerPrune } from "./kinds/host-docker-prune.ts";
import { dockerRestart } from "./kinds/host-docker-restart.ts";
import { reloadNginx } from "./kinds/host-reload-nginx.ts";
import { renewCertificate } from "./kinds/host-renew-certificate.ts";
import { systemctlRestart } from "./kinds/host-systemctl-restart.ts";
import { vacuumJournal } from "./kinds/host-vacuum-journal.ts";
import { investigate } from "./kinds/investigate.ts";
import { cordon } from "./kinds/kubernetes-cordon.ts";
import { deletePod } from "./kinds/kubernetes-delete-pod.ts";
import { describeObject } from "./kinds/kubernetes-describe.ts";
import { drain } from "./kinds/kubernetes-drain.ts";
import { getObject } from "./kinds/kubernetes-get.ts";
import { readLogs } from "./kinds/kubernetes-logs.ts";
import { patchObject } from "./kinds/kubernetes-patch.ts";
import { rolloutRestart } from "./kinds/kubernetes-rollout-restart.ts";
import { rolloutUndo } from "./kinds/kubernetes-rollout-undo.ts";
import { scale } from "./kinds/kubernetes-scale.ts";
import { scaleOut } from "./kinds/kubernetes-scale-out.ts";
import { setImage } from "./kinds/kubernetes-set-image.ts";
import { setResources } from "./kinds/kubernetes-set-resources.ts";
import { measure } from "./kinds/kubernetes-top.ts";
import { uncordon } from "./kinds/kubernetes-uncordon.ts";
import { doNothing } from "./kinds/none.ts";
import { processRestart } from "./kinds/process-restart.ts";
import { toolCall } from "./kinds/tool-call.ts";

/** All kinds of operation. A new one needs a file and one line here. */
const DEFINITIONS = [
  processRestart,
  rolloutRestart,
  rolloutUndo,
  scaleOut,
  scale,
  deletePod,
  cordon,
  uncordon,
  drain,
  setImage,
  setResources,
  patchObject,
  getObject,
  describeObject,
  readLogs,
  measure,
  diagnoseHost,
  systemctlRestart,
  dockerRestart,
  dockerComposeRestart,
  clearDockerLogs,
  dockerPrune,
  vacuumJournal,
  renewCertificate,
  reloadNginx,
  toolCall,
  investigate,
  doNothing,
] as const;

type Schemas<Definitions extends readonly { schema: z.ZodType }[]> = {
  [Index in keyof Definitions]: Definitions[Index]["schema"];
};

/**
 * Every operation that can be carried out; there are no others. External input is parsed into one of these
 * or refused; none of it reaches a shell.
 */
export const operation = z.discriminatedUnion(
  "kind",
  DEFINITIONS.map(({ schema }) => schema) as unknown as Schemas<typeof DEFINITIONS>,
);
export type Operation = z.infer<typeof operation>;
export type OperationKind = Operation["kind"];
export type Traits = TraitsOf<OperationKind>;

/** Definitions by kind. A definition is only applied to operations of its own kind, so the cast is safe. */
export const DEFINITIONS_BY_KIND: ReadonlyMap<OperationKind, OperationDefinition> = new Map(
  DEFINITIONS.map((one): [OperationKind, OperationDefinition] => [
    one.schema.shape.kind.value,
    one as unknown as OperationDefinition,
  ]),
);

function definitionOf({ kind }: Pick<Operation, "kind">): OperationDefinition {
  const found = DEFINITIONS_BY_KIND.get(kind);
  if (found === undefined) throw new Error(`there is no kind of operation ${kind}`);
  return found;
}

export const OPERATION_KINDS = [...DEFINITIONS_BY_KIND.keys()] as readonly OperationKind[];

export function traitsOf(one: Pick<Operation, "kind">): Traits {
  return definitionOf(one).traits as Traits;
}

/** Returns the gateway's name of an operation's tool; for an external tool with its server: `github/create_issue`. */
export function toolOf(one: Operation): string {
  if (one.kind !== "tool.call") return traitsOf(one).tool;
  const { host, name } = one.target;
  return `${host}/${name}`;
}

/** Returns whether the operation changes anything. */
export function changesSomething(one: Operation): boolean {
  return traitsOf(one).scope !== "read";
}

/** Describes the operation as a card's title: `Restart process demo-shop`. */
export function inWords(one: Operation): string {
  return definitionOf(one).title(one);
}

/**
 * Returns an operation for display: without values of environment variables and tool arguments whose names mark them as
 * secret. The unredacted operation is what is signed and carried out.
 */
export function redactedOperation(one: Operation): Operation {
  return (definitionOf(one).redacted?.(one) as Operation | undefined) ?? one;
}

// Shell quoting does not protect a terminal from control characters.
const COPYABLE = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u;

/** Returns the command with which a person would do it by hand; it is never run. Null when no single command does it. */
export function manualCommand(one: Operation): string | null {
  const words = definitionOf(one).command?.(one);
  return words?.every((word) => COPYABLE.test(word)) ? words.map(shellQuoted).join(" ") : null;
}
