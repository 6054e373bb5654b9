import type { V1ObjectMeta, V1PodTemplateSpec, V1Service } from "@kubernetes/client-node";
import type { Autoscaler, Budget, Certificate, Condition, ServiceFacts } from "../analyse/index.ts";
import { attempt, entries, LIMITS, picks, type ReadContext } from "./read-context.ts";

type List<T> = { items?: (T & { metadata?: V1ObjectMeta })[] };

/** Lists objects of an API group in the first version that the cluster has; undefined if it has none. */
async function listOf<T>(reading: ReadContext, group: string, versions: string[], plural: string) {
  const { cluster, namespace, signal } = reading;
  const version = await cluster.discovery.version(group, versions);
  if (version === undefined) return undefined;
  const path = `/apis/${group}/${version}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
  const { items = [] } = await cluster.raw<List<T>>({ path, query: { limit: LIMITS.others }, signal });
  return items;
}

type RawAutoscaler = {
  spec?: { minReplicas?: number; maxReplicas?: number; scaleTargetRef?: { kind?: string; name?: string } };
  // Servers return null for an empty list of conditions.
  status?: { currentReplicas?: number; desiredReplicas?: number; conditions?: Condition[] | null };
};

const CONDITIONS = "autoscaling.alpha.kubernetes.io/conditions";

/** Returns the conditions; autoscaling/v1 keeps them in an annotation. */
function conditionsOf({ status, metadata }: RawAutoscaler & { metadata?: V1ObjectMeta }): Condition[] {
  if (status?.conditions) return status.conditions;
  try {
    return JSON.parse(metadata?.annotations?.[CONDITIONS] ?? "[]") as Condition[];
  } catch {
    return [];
  }
}

const scales = (kind: string, name: string) => (one: RawAutoscaler) =>
  one.spec?.scaleTargetRef?.kind?.toLowerCase() === kind && one.spec.scaleTargetRef.name === name;

/** Reads the autoscalers of the object of this kind and name. */
export const readAutoscalers = (reading: ReadContext, kind: string, name: string): Promise<Autoscaler[]> =>
  autoscalersThat(reading, scales(kind, name));

/** Reads the autoscaler of this name. */
export const readAutoscaler = (reading: ReadContext, name: string): Promise<Autoscaler[]> =>
  autoscalersThat(reading, ({ metadata }) => metadata?.name === name);

function autoscalersThat(
  reading: ReadContext,
  wanted: (one: RawAutoscaler & { metadata?: V1ObjectMeta }) => boolean,
): Promise<Autoscaler[]> {
  const permission = `list horizontalpodautoscalers in ${reading.namespace}`;
  return attempt(reading, "autoscalers", permission, [], async () => {
    const versions = ["v2", "v2beta2", "v1"];
    const list = await listOf<RawAutoscaler>(reading, "autoscaling", versions, "horizontalpodautoscalers");
    return (list ?? []).filter(wanted).map((one) => ({
      name: one.metadata?.name ?? "?",
      min: one.spec?.minReplicas ?? 1,
      max: one.spec?.maxReplicas ?? 1,
      current: one.status?.currentReplicas ?? 0,
      desired: one.status?.desiredReplicas ?? 0,
      conditions: conditionsOf(one),
    }));
  });
}

type RawBudget = {
  spec?: { selector?: Parameters<typeof picks>[0] };
  status?: { disruptionsAllowed?: number; currentHealthy?: number; desiredHealthy?: number };
};

/** Reads the disruption budgets that select pods with these labels. */
export function readBudgets(reading: ReadContext, labels: Record<string, string>): Promise<Budget[]> {
  const permission = `list poddisruptionbudgets in ${reading.namespace}`;
  return attempt(reading, "disruption budgets", permission, [], async () => {
    const list = await listOf<RawBudget>(reading, "policy", ["v1", "v1beta1"], "poddisruptionbudgets");
    return (list ?? [])
      .filter(({ spec }) => spec?.selector !== undefined && picks(spec.selector, labels))
      .map(({ metadata, status }) => ({
        name: metadata?.name ?? "?",
        allowed: status?.disruptionsAllowed ?? 0,
        healthy: status?.currentHealthy ?? 0,
        desired: status?.desiredHealthy ?? 0,
      }));
  });
}

type RawCertificate = {
  spec?: { secretName?: string };
  status?: { notAfter?: string; conditions?: Condition[] };
};

/** Reads the cert-manager certificates that the pods mount or that have the target's name. Never reads secrets. */
export function readCertificates(
  reading: ReadContext,
  template: V1PodTemplateSpec | undefined,
): Promise<Certificate[]> {
  const used = new Set((template?.spec?.volumes ?? []).flatMap(({ secret }) => secret?.secretName ?? []));
  const permission = `list certificates.cert-manager.io in ${reading.namespace}`;
  return attempt(reading, "certificates", permission, [], async () => {
    const list = await listOf<RawCertificate>(reading, "cert-manager.io", ["v1"], "certificates");
    // Report it only if pods mount secrets, which may be certificates.
    if (list === undefined && used.size > 0)
      reading.missing.add("certificates: cert-manager is not there, and secrets are not read");
    return (list ?? [])
      .filter(
        ({ metadata, spec }) => used.has(spec?.secretName ?? "") || metadata?.name === reading.target.name,
      )
      .map(({ metadata, status }) => {
        const ready = status?.conditions?.find(({ type }) => type === "Ready");
        return {
          name: metadata?.name ?? "?",
          not_after: status?.notAfter === undefined ? null : new Date(status.notAfter),
          ready: ready?.status === "True",
          message: ready?.message ?? "",
        };
      });
  });
}

/** Reads the services that select pods with these labels, or that have the workload's name. */
export async function readServices(
  reading: ReadContext,
  labels: Record<string, string>,
  name: string,
): Promise<ServiceFacts[]> {
  const { cluster, namespace, until } = reading;
  const all = await attempt(reading, "services", `list services in ${namespace}`, [], async () =>
    entries(
      reading,
      "services",
      await cluster.core.listNamespacedService({ namespace, limit: LIMITS.services }, until),
    ),
  );
  const own = all.filter(({ metadata, spec }) => {
    const selector = spec?.selector ?? {};
    const selects = Object.keys(selector).length > 0 && picks({ matchLabels: selector }, labels);
    return selects || metadata?.name === name;
  });
  return Promise.all(own.slice(0, LIMITS.looked_at).map((service) => readEndpoints(reading, service)));
}

/** Reads how many addresses of a service are ready, and how many are not. */
export async function readEndpoints(reading: ReadContext, service: V1Service): Promise<ServiceFacts> {
  const { cluster, namespace, until } = reading;
  const name = service.metadata?.name ?? "";
  const unknown: ServiceFacts = { service, ready: null, unready: 0 };
  const permission = `get endpoints in ${namespace}`;
  return attempt(reading, `endpoints of service ${name}`, permission, unknown, async () => {
    const { subsets = [] } = await cluster.core.readNamespacedEndpoints({ namespace, name }, until);
    const count = (of: "addresses" | "notReadyAddresses") =>
      new Set(subsets.flatMap((one) => (one[of] ?? []).map(({ ip }) => ip))).size;
    return { service, ready: count("addresses"), unready: count("notReadyAddresses") };
  });
}
