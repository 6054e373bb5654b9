import { HAS_THIS_NAME, type Hit, listNamed, type NamedObject, type Search } from "./search.ts";
import { backendsOfService, distinct, type Service } from "./service-backends.ts";

type RouteQuery = { name: string; namespace?: string | undefined };
type Autoscaler = NamedObject & {
  spec?: { scaleTargetRef?: { apiVersion?: string; kind?: string; name?: string } };
};
type Backend = { service?: { name?: string }; serviceName?: string };
type Ingress = NamedObject & {
  spec?: {
    defaultBackend?: Backend;
    backend?: Backend;
    rules?: { http?: { paths?: { backend?: Backend }[] } }[];
  };
};
type Volume = NamedObject & {
  status?: { phase?: string };
  spec?: { claimRef?: { name?: string; namespace?: string } };
};

// An ingress may have hundreds of paths; with more services than this, no single workload is meant anyway.
const MOST_BACKENDS = 10;
const SCALED: Record<string, string> = {
  "apps/Deployment": "deployment",
  "apps/StatefulSet": "statefulset",
};

/** Finds the workload that an autoscaler scales; the autoscaler itself if that is of another kind than `SCALED`. */
export async function ofAutoscaler(search: Search, { name, namespace }: RouteQuery): Promise<Hit[]> {
  const found = await listNamed<Autoscaler>(search, "horizontalpodautoscaler", name, {
    namespace,
    whole: true,
  });
  return found.map(({ metadata, spec }): Hit => {
    const { apiVersion = "", kind = "?", name: scaled = "?" } = spec?.scaleTargetRef ?? {};
    const key = `${apiVersion.split("/")[0]}/${kind}`;
    const own = Object.hasOwn(SCALED, key) ? SCALED[key] : undefined;
    const place = metadata.namespace === undefined ? {} : { namespace: metadata.namespace };
    return own === undefined
      ? { kind: "horizontalpodautoscaler", name, ...place, reason: `it scales ${kind} ${scaled}` }
      : { kind: own, name: scaled, ...place, reason: `the autoscaler ${name} scales it` };
  });
}

const serviceName = (one: Backend | undefined) => one?.service?.name ?? one?.serviceName ?? [];

async function behindIngress(search: Search, { metadata, spec }: Ingress): Promise<Hit[]> {
  const { name, namespace = "" } = metadata;
  const paths = (spec?.rules ?? []).flatMap(({ http }) => http?.paths ?? []);
  const backends = [spec?.defaultBackend, spec?.backend, ...paths.map(({ backend }) => backend)];
  const names = [...new Set(backends.flatMap(serviceName))];
  if (names.length > MOST_BACKENDS)
    search.unread.add(
      `ingress ${name} in ${namespace}: the workloads of only ${MOST_BACKENDS} of its ${names.length} services were read`,
    );
  const found = await Promise.all(
    names.slice(0, MOST_BACKENDS).map(async (service): Promise<Hit[]> => {
      const [one] = await listNamed<Service>(search, "service", service, { namespace, whole: true });
      const reason = `the ingress ${name} routes to its service ${service}`;
      if (one === undefined)
        return [{ kind: "ingress", name, namespace, reason: `its service ${service} does not exist` }];
      const behind = await backendsOfService(search, one);
      if (behind.length === 0)
        return [{ kind: "service", name: service, namespace, reason: `the ingress ${name} routes to it` }];
      return behind.map((hit) => ({ ...hit, reason }));
    }),
  );
  const itself: Hit = {
    kind: "ingress",
    name,
    namespace,
    reason: `${HAS_THIS_NAME}, and routes to no service`,
  };
  return names.length === 0 ? [itself] : found.flat();
}

/** Finds the workloads behind the services that an ingress leads to. */
export async function ofIngress(search: Search, { name, namespace }: RouteQuery): Promise<Hit[]> {
  const found = await listNamed<Ingress>(search, "ingress", name, { namespace, whole: true });
  return distinct((await Promise.all(found.map((one) => behindIngress(search, one)))).flat());
}

/** Finds the claim that a persistent volume is bound to; the volume itself if there is none. */
export async function ofVolume(search: Search, { name }: RouteQuery): Promise<Hit[]> {
  const path = `/api/v1/persistentvolumes/${encodeURIComponent(name)}`;
  const volume = await search.ask<Volume>("persistent volumes", "get persistentvolumes", path);
  if (volume === undefined) return [];
  const { name: claim, namespace } = volume.spec?.claimRef ?? {};
  const phase = volume.status?.phase ?? "without a phase";
  if (claim === undefined || namespace === undefined)
    return [{ kind: "persistentvolume", name, reason: `it is ${phase}, without a claim` }];
  return [
    {
      kind: "persistentvolumeclaim",
      name: claim,
      namespace,
      reason: `the volume ${name} (${phase}) is bound to it`,
    },
  ];
}
