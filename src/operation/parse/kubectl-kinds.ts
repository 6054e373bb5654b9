const KINDS: Readonly<Record<string, string>> = {
  pod: "po pods",
  deployment: "deploy deployments",
  statefulset: "sts statefulsets",
  daemonset: "ds daemonsets",
  replicaset: "rs replicasets",
  horizontalpodautoscaler: "hpa horizontalpodautoscalers",
  node: "no nodes",
  namespace: "ns namespaces",
  persistentvolume: "pv persistentvolumes",
  persistentvolumeclaim: "pvc persistentvolumeclaims",
  customresourcedefinition: "crd crds customresourcedefinitions",
  service: "svc services",
  ingress: "ing ingresses",
  configmap: "cm configmaps",
  job: "jobs",
  cronjob: "cj cronjobs",
  event: "ev events",
  endpoints: "ep",
  serviceaccount: "sa serviceaccounts",
  secret: "secrets",
};
const ALIASES = new Map(
  Object.entries(KINDS).flatMap(([kind, others]) =>
    [kind, ...others.split(" ")].map((alias): [string, string] => [alias, kind]),
  ),
);

/** Normalises a kind of resource: `deploy`, `Deployments.apps` and `deployments.v1.apps` become `deployment`. */
export function kindOf(text: string): string {
  const lower = text.toLowerCase();
  const [, bare = lower] =
    /^([a-z]+)\.(?:v\d\w*\.?)?(?:apps|autoscaling|batch|events\.k8s\.io)?$/.exec(lower) ?? [];
  return ALIASES.get(bare) ?? lower;
}
