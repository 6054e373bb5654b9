import { flagNames } from "./flags.ts";
import { COMMON_FLAGS } from "./kubectl-flags.ts";
import { kindNamed } from "./kubectl-objects.ts";
import type { Verb } from "./kubectl-table.ts";
import { matchingOperation } from "./operation-commands.ts";
import { excerpt, refuse } from "./refused.ts";
import type { KubectlCommand } from "./tool-command.ts";
import { readOnlyVerdict, type Verdict } from "./verdict.ts";

/** Flags that only change what kubectl prints, or how long it waits. */
const OUTPUT_AND_WAIT_FLAGS = ["--output", "--timeout", "--wait", "--field-manager"];

/** Flags that act on more than one named object, or skip a safeguard: refused whatever operation has them. */
const REFUSED_FLAGS: Readonly<Record<string, string>> = {
  "--all": "acts on every object of the kind",
  "--all-namespaces": "acts in every namespace",
  "--selector": "acts on every object that matches when it runs",
  "--field-selector": "acts on every object that matches when it runs",
  "--pod-selector": "acts on every object that matches when it runs",
  "--filename": "takes the objects from a file",
  "--kustomize": "takes the objects from a file",
  "--recursive": "takes the objects from files",
  "--patch-file": "takes the patch from a file",
  "--raw": "sends a raw request to the API server",
  "--force": "skips graceful termination or safety checks",
  "--now": "skips graceful termination",
  "--grace-period": "changes the grace period",
  "--disable-eviction": "bypasses PodDisruptionBudgets",
  "--cascade": "changes which dependent objects are deleted",
  "--local": "does not contact the API server",
};

const NEVER_DELETED = new Map([
  ["namespace", "deletes everything in the namespace"],
  ["persistentvolume", "can delete the data on the volume"],
  ["persistentvolumeclaim", "can delete the data on the volume"],
  ["customresourcedefinition", "deletes every object of the kind"],
  ["node", "takes the node out of the cluster"],
  ["secret", "deletes a secret"],
]);

/** Refuses to delete objects whose deletion takes others or data with it. */
function checkDeletion(command: KubectlCommand): void {
  if (command.verb !== "delete") return;
  const kind = kindNamed(command);
  const why = NEVER_DELETED.get(kind?.split(",")[0] ?? "");
  if (why !== undefined) refuse(`kubectl delete ${kind} ${why}`);
}

/** Returns whether `--dry-run` is on. Without a value it is the older form of `client`. */
function isDryRun({ flags }: KubectlCommand): boolean {
  if (!flags.has("--dry-run")) return false;
  const value = flags.value("--dry-run") ?? "client";
  if (value === "none") return false;
  if (value === "client" || value === "server") return true;
  return refuse(`--dry-run must be none, client or server, not ${excerpt(value)}`);
}

/** Refuses flags that none of the operations has a field for, except those that change nothing about any operation. */
function checkFlags({ verb, flags }: KubectlCommand, operations: Verb["operations"]): void {
  const own = flagNames(operations.map((one) => one.flags));
  flags.only([...COMMON_FLAGS, ...OUTPUT_AND_WAIT_FLAGS, ...own, "--dry-run"], `of kubectl ${verb}`);
}

/** Parses a changing kubectl command into one of the verb's operations, or a read if it is a dry-run; refuses any other. */
export function parseKubectlChange(command: KubectlCommand, operations: Verb["operations"]): Verdict {
  const { verb, flags } = command;
  for (const name of flags.names) {
    if (REFUSED_FLAGS[name] !== undefined) refuse(`${name} of kubectl ${verb} ${REFUSED_FLAGS[name]}`);
  }
  checkFlags(command, operations);
  checkDeletion(command);
  const verdict = matchingOperation(operations, command, (one) => checkFlags(command, [one]));
  if (verdict === null) {
    return verb === "delete"
      ? refuse(
          `kubectl delete ${kindNamed(command)} is not an operation: only pods are deleted, since their controller replaces them`,
        )
      : refuse(`kubectl ${verb} is not a typed operation`);
  }
  return isDryRun(command)
    ? readOnlyVerdict(`tries kubectl ${verb} and changes nothing (--dry-run)`)
    : verdict;
}
