import type { V1Node } from "@kubernetes/client-node";

export type NodeCondition =
  | "Ready"
  | "MemoryPressure"
  | "DiskPressure"
  | "PIDPressure"
  | "NetworkUnavailable";

/** What a kubelet says of its node, each with its reason and message when it is so and when it is not. */
const WORDS: Record<NodeCondition, { so: [string, string]; not: [string, string] }> = {
  Ready: {
    so: ["KubeletReady", "kubelet is posting ready status"],
    not: ["KubeletNotReady", "PLEG is not healthy: pleg was last seen active 3m ago; threshold is 3m0s"],
  },
  MemoryPressure: {
    so: ["KubeletHasInsufficientMemory", "kubelet has insufficient memory available"],
    not: ["KubeletHasSufficientMemory", "kubelet has sufficient memory available"],
  },
  DiskPressure: {
    so: ["KubeletHasDiskPressure", "kubelet has disk pressure"],
    not: ["KubeletHasNoDiskPressure", "kubelet has no disk pressure"],
  },
  PIDPressure: {
    so: ["KubeletHasInsufficientPID", "kubelet has insufficient PID available"],
    not: ["KubeletHasSufficientPID", "kubelet has sufficient PID available"],
  },
  NetworkUnavailable: {
    so: ["NoRouteCreated", "Node created without a route"],
    not: ["RouteCreated", "RouteController created a route"],
  },
};

const CAPACITY = { cpu: "4", memory: "16Gi", pods: "110", "ephemeral-storage": "100Gi" };

/** A node's conditions, of which `holds` are so; each came to be as it is at `since`, or at the start. */
export function conditionsOf(
  holds: ReadonlySet<NodeCondition>,
  since: ReadonlyMap<NodeCondition, Date>,
  start: Date,
): object[] {
  return (Object.keys(WORDS) as NodeCondition[]).map((type) => {
    const [reason, message] = holds.has(type) ? WORDS[type].so : WORDS[type].not;
    const status = holds.has(type) ? "True" : "False";
    const lastTransitionTime = since.get(type) ?? start;
    return { type, status, reason, message, lastTransitionTime, lastHeartbeatTime: new Date() };
  });
}

/** A node as its kubelet registers it; `port` is where it answers for logs. */
export function nodeOf(name: string, port: number, version: string, conditions: object[]): V1Node {
  const labels = {
    "kubernetes.io/hostname": name,
    "kubernetes.io/os": "linux",
    "kubernetes.io/arch": "amd64",
  };
  return {
    metadata: { name, labels },
    status: {
      capacity: CAPACITY,
      allocatable: CAPACITY,
      conditions: conditions as never,
      addresses: [
        { type: "InternalIP", address: "127.0.0.1" },
        { type: "Hostname", address: name },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
      nodeInfo: {
        architecture: "amd64",
        operatingSystem: "linux",
        osImage: "Debian GNU/Linux 12 (bookworm)",
        kernelVersion: "6.1.0",
        containerRuntimeVersion: "containerd://1.6.20",
        kubeletVersion: version,
        kubeProxyVersion: version,
        bootID: name,
        machineID: name,
        systemUUID: name,
      },
    },
  };
}
