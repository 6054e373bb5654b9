import type { Check } from "../../../../contract/approval.ts";
import type { Cluster } from "./client.ts";
import { failureOf } from "./failure.ts";

/** A request that an operation will make to the API server. */
export type Permission = {
  verb: "get" | "list" | "create" | "patch" | "delete";
  group: string;
  /** With its subresource, such as `pods/eviction`. */
  resource: string;
  namespace?: string | undefined;
  name?: string | undefined;
};

const inWords = ({ verb, group, resource, namespace }: Permission) =>
  `${verb} ${resource}${group === "" ? "" : `.${group}`}${namespace === undefined ? "" : ` in ${namespace}`}`;

async function isAllowed(
  cluster: Cluster,
  { verb, group, resource, ...where }: Permission,
): Promise<boolean> {
  const [plural = "", subresource = ""] = resource.split("/");
  const resourceAttributes = { verb, group, resource: plural, subresource, ...where };
  const { status } = await cluster.raw<{ status?: { allowed?: boolean } }>({
    method: "POST",
    path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    body: {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes },
    },
  });
  return status?.allowed === true;
}

/** Asks the API server whether AWOOOI's account has all permissions, and names those that it lacks. */
export async function checkPermissions(cluster: Cluster, wanted: readonly Permission[]): Promise<Check> {
  const name = "permission";
  try {
    const allowed = await Promise.all(wanted.map((one) => isAllowed(cluster, one)));
    const missing = wanted.filter((_, index) => !allowed[index]);
    return missing.length === 0
      ? { name, passed: true, message: `the account may ${wanted.map(inWords).join(", ")}` }
      : { name, passed: false, message: `the account may not ${missing.map(inWords).join(", ")}` };
  } catch (error) {
    return { name, passed: false, message: `it could not be checked: ${failureOf(error).message}` };
  }
}
