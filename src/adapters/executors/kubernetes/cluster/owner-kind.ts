/** The kinds that own pods, by API group and kind. */
const OWNERS = {
  "apps/ReplicaSet": "replicaset",
  "apps/Deployment": "deployment",
  "apps/StatefulSet": "statefulset",
  "apps/DaemonSet": "daemonset",
  "batch/Job": "job",
  "batch/CronJob": "cronjob",
} as const;
export type OwnerKind = (typeof OWNERS)[keyof typeof OWNERS];

/** Returns the kind of an owner; undefined for a custom resource, even if it is named like a built-in kind. */
export function ownerKind({
  apiVersion = "",
  kind,
}: {
  apiVersion?: string;
  kind: string;
}): OwnerKind | undefined {
  const key = `${apiVersion.split("/")[0]}/${kind}`;
  return Object.hasOwn(OWNERS, key) ? OWNERS[key as keyof typeof OWNERS] : undefined;
}
