import type { Finding } from "../../../../contract/evidence.ts";

/**
 * Every finding code with its usual weight. Findings of equal weight are shown in this order. The codes are
 * described in docs/reference/findings.md; do not rename them, because rules refer to them.
 */
export const CODES = {
  bad_rollout: "cause",
  image_not_found: "cause",
  image_denied: "cause",
  image_rate_limited: "cause",
  image_registry_unreachable: "cause",
  image_name_invalid: "cause",
  image_pull_failed: "cause",
  config_map_missing: "cause",
  secret_missing: "cause",
  config_key_missing: "cause",
  container_config_invalid: "cause",
  out_of_memory: "cause",
  node_out_of_memory: "cause",
  quota_exceeded: "cause",
  limit_range_violated: "cause",
  admission_refused: "cause",
  admission_webhook_failing: "cause",
  service_account_missing: "cause",
  pod_creation_failed: "cause",
  volume_pending: "cause",
  volume_mount_failed: "cause",
  pod_sandbox_failed: "cause",
  unschedulable: "cause",
  node_not_ready: "cause",
  node_disk_pressure: "cause",
  node_memory_pressure: "cause",
  node_pid_pressure: "cause",
  node_network_unavailable: "cause",
  pods_evicted: "cause",
  init_container_waiting: "cause",
  liveness_probe_failing: "cause",
  startup_probe_failing: "cause",
  crash_loop: "cause",
  readiness_probe_failing: "cause",
  service_selector_mismatch: "cause",
  service_port_mismatch: "cause",
  job_failed: "cause",
  job_deadline_exceeded: "cause",
  cron_job_missed: "cause",
  certificate_expired: "cause",
  certificate_not_ready: "cause",
  scaled_to_zero: "cause",
  stuck_terminating: "cause",
  restarted_lately: "symptom",
  rollout_stalled: "symptom",
  service_without_endpoints: "symptom",
  replicas_unready: "symptom",
  certificate_expiring: "note",
  volume_in_use: "note",
  rollout_paused: "note",
  autoscaler_at_max: "note",
  autoscaler_without_metrics: "note",
  disruption_budget_blocks: "note",
  cron_job_suspended: "note",
  job_suspended: "note",
  node_cordoned: "note",
  recent_rollout: "note",
  no_recent_rollout: "note",
  workload_healthy: "note",
} as const satisfies Record<string, Finding["weight"]>;

export type FindingCode = keyof typeof CODES;

const NODE_TROUBLE = ["node_not_ready", "node_network_unavailable"] as const;
const PULL = ["image_not_found", "image_denied", "image_registry_unreachable"] as const;

/** Causes that become symptoms when one of the listed findings is present as well. */
export const EXPLAINED_BY: Partial<Record<FindingCode, readonly FindingCode[]>> = {
  crash_loop: ["out_of_memory", "node_out_of_memory", "liveness_probe_failing", "startup_probe_failing"],
  readiness_probe_failing: ["crash_loop", "out_of_memory", "node_out_of_memory", ...NODE_TROUBLE],
  liveness_probe_failing: ["node_out_of_memory", ...NODE_TROUBLE],
  pods_evicted: ["node_disk_pressure", "node_memory_pressure", "node_pid_pressure"],
  unschedulable: ["volume_pending"],
  stuck_terminating: ["node_not_ready"],
  init_container_waiting: [...PULL, "crash_loop"],
  job_failed: ["out_of_memory", "config_map_missing", "secret_missing", ...PULL],
  job_deadline_exceeded: ["unschedulable", "config_map_missing", "secret_missing", ...PULL],
};
