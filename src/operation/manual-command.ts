import { quoted } from "../lib/shell.ts";
import type { Operation } from "./types.ts";

// A shell's quotes are no protection from what a terminal makes of control characters.
const COPYABLE = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u;

const option = (name: string, value: string | number | undefined): string[] =>
  value === undefined ? [] : [`--${name}=${value}`];
const flag = (name: string, set: boolean | undefined): string[] => (set === true ? [`--${name}`] : []);

type Place = { namespace?: string | undefined; cluster?: string | undefined };
const at = ({ namespace, cluster }: Place): string[] => [
  ...(namespace === undefined ? [] : ["-n", namespace]),
  ...option("context", cluster),
];

type Read = Extract<Operation, { kind: `kubernetes.${"get" | "describe" | "logs" | "top"}` }>;

function readArgs({ kind, target, parameters }: Read): string[] {
  const verb = kind.slice("kubernetes.".length);
  const { resource, selector, field_selector, all_namespaces } = parameters;
  // `logs` reads pods and says so nowhere; `top` has its kind as a word of its own.
  const of = target === null ? (verb === "logs" ? [] : [resource ?? ""]) : objectOf(verb, target);
  return [
    verb,
    ...of,
    ...at(target ?? parameters),
    ...flag("all-namespaces", all_namespaces),
    ...option("selector", selector),
    ...option("field-selector", field_selector),
  ];
}

function objectOf(verb: string, target: { kind: string; name: string }): string[] {
  return verb === "top" ? [target.kind, target.name] : [`${target.kind}/${target.name}`];
}

const list = (pairs: Readonly<Record<string, string | undefined>> | undefined) =>
  pairs && Object.entries(pairs).map(([name, value]) => `${name}=${value}`);

function kubectlArgs(operation: Operation): string[] | null {
  const { kind } = operation;
  switch (kind) {
    case "kubernetes.rollout_restart":
    case "kubernetes.rollout_undo":
    case "kubernetes.scale":
    case "kubernetes.scale_out":
    case "kubernetes.delete_pod":
    case "kubernetes.set_image":
    case "kubernetes.set_resources":
    case "kubernetes.patch": {
      const { verb, more } = changeArgs(operation);
      const { target } = operation;
      return [...verb, `${target.kind}/${target.name}`, ...at(target), ...more];
    }
    case "kubernetes.cordon":
    case "kubernetes.uncordon":
    case "kubernetes.drain": {
      const { ignore_daemonsets, delete_emptydir_data } =
        kind === "kubernetes.drain" ? operation.parameters : {};
      const more = [
        ...flag("ignore-daemonsets", ignore_daemonsets),
        ...flag("delete-emptydir-data", delete_emptydir_data),
      ];
      return [kind.slice("kubernetes.".length), operation.target.name, ...at(operation.target), ...more];
    }
    case "kubernetes.get":
    case "kubernetes.describe":
      return readArgs(operation);
    case "kubernetes.logs": {
      const { container, all_containers, previous, tail, since_seconds } = operation.parameters;
      return [
        ...readArgs(operation),
        ...option("container", container),
        ...flag("all-containers", all_containers),
        ...flag("previous", previous),
        ...option("tail", tail),
        ...option("since", since_seconds === undefined ? undefined : `${since_seconds}s`),
      ];
    }
    case "kubernetes.top":
      return [...readArgs(operation), ...flag("containers", operation.parameters.containers)];
    default:
      return null;
  }
}

type Change = Extract<
  Operation,
  {
    kind: `kubernetes.${"rollout_restart" | "rollout_undo" | "scale" | "scale_out" | "delete_pod" | "set_image" | "set_resources" | "patch"}`;
  }
>;

function changeArgs(operation: Change): { verb: string[]; more: string[] } {
  switch (operation.kind) {
    case "kubernetes.rollout_restart":
      return { verb: ["rollout", "restart"], more: [] };
    case "kubernetes.rollout_undo":
      return { verb: ["rollout", "undo"], more: option("to-revision", operation.parameters.to_revision) };
    case "kubernetes.scale_out":
      return { verb: ["scale"], more: option("replicas", operation.parameters.at_least) };
    case "kubernetes.scale":
      return { verb: ["scale"], more: option("replicas", operation.parameters.replicas) };
    case "kubernetes.delete_pod":
      return { verb: ["delete"], more: [] };
    case "kubernetes.set_image":
      return { verb: ["set", "image"], more: list(operation.parameters.images) ?? [] };
    case "kubernetes.set_resources": {
      const { container, requests, limits } = operation.parameters;
      const more = [
        ...option("containers", container),
        ...option("requests", list(requests)?.join(",")),
        ...option("limits", list(limits)?.join(",")),
      ];
      return { verb: ["set", "resources"], more };
    }
    case "kubernetes.patch":
      return { verb: ["patch"], more: ["-p", JSON.stringify(operation.parameters.patch)] };
  }
}

function hostArgs(operation: Operation): { host: string; args: string[] } | null {
  switch (operation.kind) {
    case "host.systemctl_restart":
      return {
        host: operation.target.host,
        args: ["sudo", "systemctl", "restart", operation.target.name],
      };
    case "host.docker_restart":
      return { host: operation.target.host, args: ["docker", "restart", operation.target.name] };
    case "host.docker_compose_restart": {
      const { project } = operation.parameters;
      const args = ["docker", "compose", ...(project === undefined ? [] : ["-p", project])];
      return { host: operation.target.host, args: [...args, "restart", operation.target.name] };
    }
    case "host.docker_prune": {
      const { what, all_images } = operation.parameters;
      const args = ["docker", what, "prune", "--force", ...flag("all", all_images)];
      return { host: operation.target.name, args };
    }
    case "host.reload_nginx":
      return { host: operation.target.name, args: ["sudo", "systemctl", "reload", "nginx"] };
    default:
      return null;
  }
}

/** How a person would do it by hand, for people to read: it is never run. Null where there is no one command. */
export function manualCommand(operation: Operation): string | null {
  const kubectl = kubectlArgs(operation);
  const onHost = hostArgs(operation);
  // A name that ssh takes for this machine needs no ssh.
  const remote = onHost && (onHost.host === "localhost" ? onHost.args : ["ssh", onHost.host, ...onHost.args]);
  const words = kubectl === null ? remote : ["kubectl", ...kubectl];
  return words?.every((word) => COPYABLE.test(word)) ? words.map(quoted).join(" ") : null;
}
