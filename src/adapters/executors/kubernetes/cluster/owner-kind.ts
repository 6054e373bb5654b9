/** What runs pods, by the API's group and kind. */
const OWNERS = {
  "apps/ReplicaSet": "replicaset",
  "apps/Deployment": "deployment",
  "apps/StatefulSet": "statefulset",
  "apps/DaemonSet": "daemonset",
  "batch/Job": "job",
  "batch/CronJob": "cronjob",
} as const;
export type OwnerKind = (typeof OWNERS)[keyof typeof OWNERS];

/** The kind that an owner is; undefined for one that others have brought, though it be called the same. */
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
