import type { Operation, OperationKind, Sign, Traits } from "./types.ts";

const READ = {
  scope: "read",
  idempotent: true,
  risk: "low",
  data_impact: "READ_ONLY",
  downtime: 0,
  dry_run: "look",
  undo: null,
  verify: [],
} as const satisfies Omit<Traits, "tool">;

/** A change that the API server tries first and that, by itself, takes nothing away. */
const CHANGE = {
  scope: "write",
  idempotent: true,
  risk: "medium",
  data_impact: "NONE",
  downtime: 0,
  dry_run: "server",
  undo: null,
} as const;
const ON_HOST = { ...CHANGE, dry_run: "look" } as const;
const ROLLED_OUT: readonly Sign[] = [
  "rollout_complete",
  "replicas_ready",
  "restarts_stopped",
  "alert_silent",
];

const TRAITS: Record<OperationKind, Traits> = {
  "process.restart": {
    ...ON_HOST,
    tool: "process_restart",
    downtime: 5,
    verify: ["process_up", "alert_silent"],
  },
  "kubernetes.rollout_restart": { ...CHANGE, tool: "kubernetes_rollout_restart", verify: ROLLED_OUT },
  "kubernetes.rollout_undo": {
    ...CHANGE,
    tool: "kubernetes_rollout_undo",
    // A second undo goes back to where the first one came from.
    idempotent: false,
    risk: "critical",
    data_impact: "WRITE",
    undo: "kubernetes.rollout_undo",
    verify: ROLLED_OUT,
  },
  "kubernetes.scale_out": {
    ...CHANGE,
    tool: "kubernetes_scale",
    risk: "low",
    undo: "kubernetes.scale",
    verify: ["replicas_ready", "alert_silent"],
  },
  "kubernetes.scale": {
    ...CHANGE,
    tool: "kubernetes_scale",
    // Down to nothing is among what it can do.
    risk: "high",
    undo: "kubernetes.scale",
    verify: ["replicas_ready", "alert_silent"],
  },
  "kubernetes.delete_pod": {
    ...CHANGE,
    tool: "kubernetes_delete_pod",
    // A StatefulSet's next pod has the same name: a second delete would end that one.
    idempotent: false,
    downtime: 30,
    data_impact: "WRITE",
    verify: ["pod_replaced", "restarts_stopped", "alert_silent"],
  },
  "kubernetes.cordon": {
    ...CHANGE,
    tool: "kubernetes_cordon",
    undo: "kubernetes.uncordon",
    verify: ["node_unschedulable"],
  },
  "kubernetes.uncordon": {
    ...CHANGE,
    tool: "kubernetes_uncordon",
    risk: "low",
    undo: "kubernetes.cordon",
    verify: ["node_schedulable"],
  },
  "kubernetes.drain": {
    ...CHANGE,
    tool: "kubernetes_drain",
    risk: "high",
    data_impact: "WRITE",
    downtime: 60,
    // What was moved away stays away; the node takes pods again.
    undo: "kubernetes.uncordon",
    verify: ["node_unschedulable", "node_empty"],
  },
  "kubernetes.set_image": {
    ...CHANGE,
    tool: "kubernetes_set_image",
    risk: "high",
    data_impact: "WRITE",
    undo: "kubernetes.rollout_undo",
    verify: ROLLED_OUT,
  },
  "kubernetes.set_resources": {
    ...CHANGE,
    tool: "kubernetes_set_resources",
    undo: "kubernetes.rollout_undo",
    verify: ROLLED_OUT,
  },
  "kubernetes.patch": {
    ...CHANGE,
    tool: "kubernetes_patch",
    risk: "high",
    data_impact: "WRITE",
    undo: "kubernetes.patch",
    verify: ROLLED_OUT,
  },
  "kubernetes.get": { ...READ, tool: "kubernetes_get" },
  "kubernetes.describe": { ...READ, tool: "kubernetes_describe" },
  "kubernetes.logs": { ...READ, tool: "kubernetes_logs" },
  "kubernetes.top": { ...READ, tool: "kubernetes_top" },
  "host.diagnose": { ...READ, tool: "ssh_diagnose" },
  "host.systemctl_restart": {
    ...ON_HOST,
    tool: "ssh_systemctl_restart",
    downtime: 10,
    verify: ["unit_active", "alert_silent"],
  },
  "host.docker_restart": {
    ...ON_HOST,
    tool: "ssh_docker_restart",
    downtime: 10,
    verify: ["container_running", "alert_silent"],
  },
  "host.docker_compose_restart": {
    ...ON_HOST,
    tool: "ssh_docker_compose_restart",
    downtime: 10,
    verify: ["container_running", "alert_silent"],
  },
  "host.clear_docker_logs": {
    ...ON_HOST,
    tool: "ssh_clear_docker_logs",
    data_impact: "DESTRUCTIVE",
    verify: ["disk_freed", "alert_silent"],
  },
  "host.docker_prune": {
    ...ON_HOST,
    tool: "ssh_docker_prune",
    scope: "admin",
    risk: "high",
    data_impact: "DESTRUCTIVE",
    verify: ["disk_freed", "alert_silent"],
  },
  "host.vacuum_journal": {
    ...ON_HOST,
    tool: "ssh_vacuum_journal",
    data_impact: "DESTRUCTIVE",
    verify: ["disk_freed", "alert_silent"],
  },
  "host.renew_certificate": {
    ...ON_HOST,
    tool: "ssh_renew_ssl",
    verify: ["certificate_valid", "alert_silent"],
  },
  "host.reload_nginx": {
    ...ON_HOST,
    tool: "ssh_reload_nginx",
    risk: "low",
    verify: ["unit_active", "alert_silent"],
  },
  // The most careful: what a tool really is, its operator says in the configuration.
  "tool.call": {
    ...ON_HOST,
    tool: "tool_call",
    scope: "admin",
    idempotent: false,
    risk: "critical",
    data_impact: "WRITE",
    verify: ["alert_silent"],
  },
  investigate: { ...READ, tool: "investigate" },
  none: { ...READ, tool: "none" },
};

export const OPERATION_KINDS = Object.keys(TRAITS) as readonly OperationKind[];

export function traitsOf(operation: Pick<Operation, "kind">): Traits {
  return TRAITS[operation.kind];
}

/** The gateway's name of the tool that an operation uses; of an external one with its server: `github/create_issue`. */
export function toolOf(operation: Operation): string {
  if (operation.kind !== "tool.call") return traitsOf(operation).tool;
  const { host, name } = operation.target;
  return `${host}/${name}`;
}

/** Whether doing it changes anything. */
export function changesSomething(operation: Operation): boolean {
  return traitsOf(operation).scope !== "read";
}
