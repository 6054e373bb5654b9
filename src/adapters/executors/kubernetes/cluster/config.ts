import { z } from "zod";
import { duration } from "../../../../lib/duration.ts";
import { alternative, example } from "../../../../lib/setting.ts";

const name = z.string().regex(/^[A-Za-z0-9][\w.:@/-]{0,252}$/, "is not a valid cluster name");
const namespaces = z.array(
  z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "is not a valid namespace"),
);

/** How a cluster is reached: with the service account of AWOOOI's own pod, or by a kubeconfig. */
const access = {
  in_cluster: alternative(z.literal(true).optional()).describe(
    "instead of kubeconfig and context: use the cluster that AWOOOI runs in, with its pod's service account",
  ),
  kubeconfig: example(z.string().min(1).optional(), "/etc/awoooi/kubeconfig").describe(
    "its credential plugin (exec, auth-provider) is run as a program on this machine",
  ),
  context: example(z.string().min(1).optional(), "prod").describe(
    "default: the kubeconfig's current context",
  ),
  aliases: example(z.array(name).default([]), ["prod-eu-1"]).describe(
    "other names that alerts give it in their label `cluster`",
  ),
};
const cluster = z.strictObject({ name: example(name, "prod"), ...access });
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
    name: example(name.optional(), "prod").describe("its name in AWOOOI; default: its context"),
    ...access,
    clusters: z
      .array(cluster)
      .default([])
      .describe(
        "or several clusters, in place of the settings above; if an alert names none, the object is searched in all of them; an unknown cluster name is refused",
      ),
    request_timeout: duration.prefault("5s").describe("of one request"),
    settle: duration
      .prefault("10s")
      .describe("how long a container must have run since its last start to count as up"),
    drain_wait: duration
      .prefault("50s")
      .describe(
        "how long to wait for pods to leave a node; keep it below execution.timeout, or people do not learn which pods are left",
      ),
    allowed_namespaces: namespaces.default([]).describe("only these are read and changed; empty: all"),
    denied_namespaces: namespaces.default([]).describe("these are neither read nor changed"),
    protected_namespaces: namespaces
      .default(["kube-system", "kube-public", "kube-node-lease"])
      .describe("these are read, and never changed"),
  })
  .superRefine((config, { addIssue }) => {
    const issue = (path: (string | number)[], message: string | undefined) =>
      message !== undefined && addIssue({ code: "custom", path, message });
    const single = config.in_cluster || (config.kubeconfig ?? config.context ?? config.name) !== undefined;
    if (single && config.clusters.length > 0)
      issue(["clusters"], "are set beside a single cluster: move that one into `clusters`");
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
