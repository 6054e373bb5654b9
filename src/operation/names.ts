import { z } from "zod";
import { wireText } from "../contract/common.ts";
import { operationTarget } from "../contract/incident.ts";

// RFC 1123, as Kubernetes requires; strict because names come from alerts, and people paste commands with them into shells.
const dnsName = z.string().regex(/^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/, "is not a Kubernetes name");
const inCluster = operationTarget.extend({ name: dnsName, namespace: dnsName });
export const WORKLOAD_KINDS = ["deployment", "statefulset", "daemonset"] as const;
export const workload = inCluster.extend({ kind: z.enum(WORKLOAD_KINDS) });
export const scalable = inCluster.extend({ kind: z.enum(["deployment", "statefulset"]) });
export const patchable = inCluster.extend({
  kind: z.enum(["deployment", "statefulset", "daemonset", "horizontalpodautoscaler"]),
});
export const pod = inCluster.extend({ kind: z.literal("pod") });
export const process = operationTarget.extend({ kind: z.literal("process") });

/** A kubeconfig context, which `cluster` names. */
const cluster = z.string().regex(/^[A-Za-z0-9][\w.:@/-]{0,252}$/, "is not the name of a cluster");
export const node = z.strictObject({ kind: z.literal("node"), name: dnsName, cluster: cluster.optional() });

/** A host name or address; never something that ssh would read as an option or a user name. */
export const hostName = z
  .string()
  .regex(/^[A-Za-z0-9]([A-Za-z0-9._:-]{0,251}[A-Za-z0-9])?$/, "is not a host name");
export const containerName = z.string().regex(/^[A-Za-z0-9][\w.-]{0,127}$/, "is not a container name");
// Units that must not be restarted: they end or leave the running system, open a root shell, or rewrite disks.
// Names of systemd units and System V scripts; `reboot-notifier` is a different service and stays allowed.
const STATES =
  "reboot|poweroff|halt|kexec|soft-reboot|exit|shutdown|suspend|hibernate|hybrid-sleep|suspend-then-hibernate";
const SHELLS = "emergency|rescue|debug-shell|console-shell|single";
const SCRIPTS = "rcS|sendsigs|killprocs|umountfs|umountroot|umountnfs";
const DISKS = "factory-reset|firstboot|fsck|makefs|growfs|mkswap|repart|sysupdate|update-done|volatile-root";
const WHOLE_MACHINE = new RegExp(
  `^(${STATES}|${SHELLS}|${SCRIPTS})(@.*)?(\\.[a-z]+)?$|^systemd-(${STATES}|${DISKS})\\b|^(initrd-|system-update)`,
);

export const unitName = z
  .string()
  .regex(/^[A-Za-z0-9][\w.:@-]{0,254}$/, "is not the name of a systemd unit")
  // Restarting a target or slice would restart or end more than one service.
  .refine((name) => !/\.(target|slice|scope|mount|automount|swap|device)$/.test(name), "is not a service")
  .refine((name) => !WHOLE_MACHINE.test(name), "changes the state of the whole machine");
export const host = z.strictObject({ kind: z.literal("host"), name: hostName });
export const container = z.strictObject({
  kind: z.literal("container"),
  name: containerName,
  host: hostName,
});
export const unit = z.strictObject({ kind: z.literal("unit"), name: unitName, host: hostName });
export const composeService = z.strictObject({
  kind: z.literal("compose_service"),
  name: containerName,
  host: hostName,
});
export const composeProject = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, "is not the name of a compose project");

/** Kinds of objects that may be read in a cluster: never secrets, whoever asks. */
const readableKind = z
  .string()
  .regex(/^[a-z][a-z0-9.-]{0,99}$/, "is not a kind of resource")
  .refine((kind) => !isSecretKind(kind), "holds secrets");
export const readable = z.strictObject({
  kind: readableKind,
  name: dnsName,
  namespace: dnsName.optional(),
  cluster: cluster.optional(),
});
export const logged = readable.extend({
  kind: z.enum(["pod", "deployment", "statefulset", "daemonset", "replicaset", "job"]),
});
export const measured = readable.extend({ kind: z.enum(["pod", "node"]) });
const selector = wireText(500).regex(/^[\w./=!(), -]+$/, "is not a selector");
/** Selects the objects to read when no single one is named. */
export const selection = z.strictObject({
  resource: readableKind.optional(),
  namespace: dnsName.optional(),
  all_namespaces: z.literal(true).optional(),
  selector: selector.optional(),
  field_selector: selector.optional(),
  cluster: cluster.optional(),
});
export const containerOfPod = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "is not the name of a container");

/** Returns whether a kind is a secret, in any spelling (`secrets.v1`). */
export function isSecretKind(kind: string): boolean {
  return /secret/i.test(kind);
}

/** Name of an MCP server in the configuration. */
export const toolServerName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, "has lower case letters, digits, hyphens and underscores, at most 64");
/** Name of a tool on its server. */
export const toolName = z.string().regex(/^[A-Za-z0-9][\w./-]{0,127}$/, "is not the name of a tool");
