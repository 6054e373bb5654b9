import { z } from "zod";
import { duration } from "../../../../lib/duration.ts";

const name = z.string().regex(/^[A-Za-z0-9][\w.:@/-]{0,252}$/, "is not the name of a cluster");
const namespaces = z.array(z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "is not a namespace"));

/** How a cluster is reached: with the service account of AWOOOI's own pod, or by a kubeconfig. */
const access = {
  in_cluster: z.literal(true).optional(),
  kubeconfig: z.string().min(1).optional(),
  /** Default: the kubeconfig's current context. */
  context: z.string().min(1).optional(),
  /** Other names of the cluster that alerts have in their label `cluster`. */
  aliases: z.array(name).default([]),
};
const cluster = z.strictObject({ name, ...access });
export type ClusterConfig = Omit<z.infer<typeof cluster>, "name"> & { name?: string | undefined };

type Access = {
  in_cluster?: true | undefined;
  kubeconfig?: string | undefined;
  context?: string | undefined;
};

function accessError({ in_cluster, kubeconfig, context }: Access): string | undefined {
  if (in_cluster && (kubeconfig ?? context) !== undefined) return "in_cluster needs no kubeconfig or context";
  if (!in_cluster && kubeconfig === undefined) return "needs a kubeconfig, or in_cluster: true";
  return undefined;
}

/** The section `kubernetes` of the configuration. Durations are seconds after parsing. */
export const kubernetesConfig = z
  .strictObject({
    name: name.optional(),
    ...access,
    clusters: z.array(cluster).default([]),
    /** Timeout of one request. */
    request_timeout: duration.prefault("5s"),
    /** How long a container must have run since its last start to count as up. */
    settle: duration.prefault("10s"),
    /** How long a drain waits for pods to leave. Keep it below `execution.timeout`, so that pods left are reported. */
    drain_wait: duration.prefault("50s"),
    /** Nothing in other namespaces is read or changed; empty means all namespaces. */
    allowed_namespaces: namespaces.default([]),
    denied_namespaces: namespaces.default([]),
    /** Namespaces that are read but never changed. */
    protected_namespaces: namespaces.default(["kube-system", "kube-public", "kube-node-lease"]),
  })
  .superRefine((config, { addIssue }) => {
    const issue = (path: (string | number)[], message: string | undefined) =>
      message !== undefined && addIssue({ code: "custom", path, message });
    const single = config.in_cluster || (config.kubeconfig ?? config.context ?? config.name) !== undefined;
    if (single && config.clusters.length > 0)
      issue(["clusters"], "are named as well as a single cluster: put that among them");
    else if (single) issue([], accessError(config));
    config.clusters.forEach((one, index) => {
      issue(["clusters", index], accessError(one));
    });
    const names = config.clusters.flatMap((one) => [one.name, ...one.aliases]);
    const twice = names.find((one, index) => names.indexOf(one) !== index);
    if (twice !== undefined) issue(["clusters"], `two clusters are called "${twice}"`);
  });
export type KubernetesConfig = z.infer<typeof kubernetesConfig>;

/** Returns the configured clusters, the first of which is the default; empty if Kubernetes is off. */
export function clustersOf(config: KubernetesConfig): ClusterConfig[] {
  const { name, in_cluster, kubeconfig, context, aliases, clusters } = config;
  const single = in_cluster || kubeconfig !== undefined;
  return single ? [{ name, in_cluster, kubeconfig, context, aliases }] : clusters;
}
