import type { OperationTarget } from "../contract/incident.ts";
import { clip } from "../lib/clip.ts";
import { redact } from "../lib/redact.ts";
import { redactedOperation } from "./redacted.ts";
import type { Operation } from "./types.ts";

// Of a title; all of them are in the operation, which people sign.
const ARGUMENTS_SHOWN = 200;

const KIND_WORDS: Record<string, string> = {
  compose_service: "compose service",
  horizontalpodautoscaler: "autoscaler",
};

function placeOf(target: OperationTarget | null): string {
  if (target === null) return "";
  const name = `${KIND_WORDS[target.kind] ?? target.kind} ${target.name}`;
  const place = target.namespace ?? target.cluster;
  const where = place === undefined ? name : `${name} in ${place}`;
  return target.host === undefined || target.namespace !== undefined ? where : `${where} on ${target.host}`;
}

type Selection = Extract<Operation, { kind: "kubernetes.get" }>["parameters"];

function selectedOf({ resource, namespace, all_namespaces, selector, cluster }: Selection): string {
  const place = all_namespaces ? "every namespace" : (namespace ?? cluster);
  const which = selector === undefined ? "" : ` with ${selector}`;
  return `${resource}${which}${place === undefined ? "" : ` in ${place}`}`;
}

const listed = (pairs: Readonly<Record<string, string | undefined>>) =>
  Object.entries(pairs)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");

/** The operation in words, as a card's title: `Restart process demo-shop`. */
export function inWords(operation: Operation): string {
  const where = placeOf(operation.target);
  switch (operation.kind) {
    case "process.restart":
    case "host.systemctl_restart":
    case "host.docker_restart":
    case "host.docker_compose_restart":
      return `Restart ${where}`;
    case "kubernetes.rollout_restart":
      return `Restart ${where}, pod by pod`;
    case "kubernetes.rollout_undo": {
      const { to_revision } = operation.parameters;
      return `Roll ${where} back to ${to_revision === undefined ? "the revision before" : `revision ${to_revision}`}`;
    }
    case "kubernetes.scale_out":
      return `Scale ${where} out to at least ${operation.parameters.at_least} replicas`;
    case "kubernetes.scale":
      return `Scale ${where} to exactly ${operation.parameters.replicas} replicas`;
    case "kubernetes.delete_pod":
      return `Delete ${where}, for its owner to replace`;
    case "kubernetes.cordon":
      return `Keep new pods off ${where}`;
    case "kubernetes.uncordon":
      return `Let ${where} take pods again`;
    case "kubernetes.drain": {
      const loses = operation.parameters.delete_emptydir_data ? ", with the loss of their emptyDir data" : "";
      return `Move all pods off ${where}${loses}`;
    }
    case "kubernetes.set_image":
      return `Set images of ${where}: ${listed(operation.parameters.images)}`;
    case "kubernetes.set_resources": {
      const { container, requests, limits } = operation.parameters;
      const parts = [
        requests && `requests ${listed(requests)}`,
        limits && `limits ${listed(limits)}`,
        container && `container ${container}`,
      ];
      return `Set resources of ${where}: ${parts.filter(Boolean).join("; ")}`;
    }
    case "kubernetes.patch":
      return `Patch ${where}: ${JSON.stringify((redactedOperation(operation) as typeof operation).parameters.patch)}`;
    case "kubernetes.get":
      return `Read ${where || selectedOf(operation.parameters)}`;
    case "kubernetes.describe":
      return `Describe ${where || selectedOf(operation.parameters)}`;
    case "kubernetes.logs":
      return `Read the logs of ${where || selectedOf(operation.parameters)}`;
    case "kubernetes.top":
      return `Measure ${where || selectedOf(operation.parameters)}`;
    case "host.diagnose":
      return `Look at processes, disk, memory and load of ${where}`;
    case "host.clear_docker_logs":
      return operation.target.kind === "host"
        ? `Empty the logs of every container on ${operation.target.name}`
        : `Empty the logs of ${where}`;
    case "host.docker_prune": {
      const { what, all_images } = operation.parameters;
      if (what === "builder") return `Remove ${all_images ? "all of " : ""}the build cache of ${where}`;
      const unused =
        what === "container" ? "stopped containers" : what === "image" ? "images" : "what Docker";
      const rest = what === "system" ? " does not use" : "";
      return `Remove ${unused}${rest} from ${where}, volumes excepted${all_images ? ", all unused images too" : ""}`;
    }
    case "host.vacuum_journal":
      return `Remove the oldest entries of the journal of ${where}, down to ${operation.parameters.keep_megabytes} MB`;
    case "host.renew_certificate":
      return `Renew the certificates of ${where} that are due`;
    case "host.reload_nginx":
      return `Reload nginx on ${operation.target.name}`;
    case "tool.call": {
      const { name, host } = operation.target;
      const given = JSON.stringify(redact(operation.parameters.arguments));
      return `Call the tool ${name} of ${host} with ${clip(given, ARGUMENTS_SHOWN + 1)}`;
    }
    case "investigate":
      return where === "" ? "Investigate" : `Investigate ${where}`;
    case "none":
      return where === "" ? "Do nothing" : `Do nothing about ${where}`;
  }
}
