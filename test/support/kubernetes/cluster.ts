import { randomBytes } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  AuthorizationV1Api,
  CoreV1Api,
  Health,
  KubeConfig,
  RbacAuthorizationV1Api,
  type V1PolicyRule,
  VersionApi,
} from "@kubernetes/client-node";
import { overHttp1 } from "../../../src/adapters/executors/kubernetes/cluster/connections.ts";
import type { Child } from "../child.ts";
import { temporaryFolder } from "../folder.ts";
import { freePort } from "../ports.ts";
import { until } from "../until.ts";
import {
  type Certificate,
  readCertificate,
  startApiServer,
  startControllerManager,
  startEtcd,
  writeCredentials,
} from "./control-plane.ts";

export type Cluster = {
  url: string;
  /** `v1.20.2`, of which many an API is still a beta. */
  version: string;
  /** Path of the administrator's kubeconfig. */
  kubeconfig: string;
  kubeconfigText: string;
  /** The administrator, who may do everything. */
  admin: KubeConfig;
  certificate: Certificate;
  /** A new, empty namespace. */
  namespace(): Promise<string>;
  /**
   * Path of the kubeconfig of a new service account that may do exactly this: in `namespace`, or without one
   * everywhere. The rights are in force when it is answered.
   */
  serviceAccount(name: string, rules: readonly V1PolicyRule[], namespace?: string): Promise<string>;
  /** SIGKILL: connections break, nothing listens any more. */
  stopApiServer(): Promise<void>;
  /** Starts it again on the same port and data, and waits until it is ready. */
  startApiServer(): Promise<void>;
  /** Stops everything and removes its folder. */
  stop(): Promise<void>;
};

export type ClusterOptions = {
  /** More flags of the API server's. */
  apiServerFlags?: readonly string[];
};

/** JSON is YAML. */
const kubeconfigOf = (url: string, ca: string, token: string, namespace = "default") =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: "test",
        cluster: { server: url, "certificate-authority-data": Buffer.from(ca).toString("base64") },
      },
    ],
    users: [{ name: "test", user: { token } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "test", namespace } }],
    "current-context": "test",
  });

function load(text: string): KubeConfig {
  // As the adapter does it, and why: its stand-ins abort what they follow, too.
  const config = overHttp1(new KubeConfig());
  config.loadFromString(text);
  return config;
}

/**
 * A real Kubernetes: etcd, API server and controller manager as processes of their own on the loopback
 * interface. It has no nodes: `startKubelet` stands in for them. Takes some 5 s: once per test file at most.
 */
export async function startCluster({ apiServerFlags = [] }: ClusterOptions = {}): Promise<Cluster> {
  const folder = await temporaryFolder(`cluster-${process.pid}`);
  const token = randomBytes(16).toString("hex");
  const port = await freePort();
  const url = `https://127.0.0.1:${port}`;
  const children: Child[] = [];
  const stop = async () => {
    await Promise.all(children.map((child) => child.kill()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const etcd = await startEtcd(folder);
    children.push(etcd.child);
    await writeCredentials(folder, token);
    let apiServer: Child;
    const start = async () => {
      apiServer = startApiServer(folder, etcd.url, port, apiServerFlags);
      children.push(apiServer);
      const isReady = async () => new Health(load(await text())).readyz({});
      await apiServer.ready(until(isReady, "the API server to be ready"));
    };
    // Its certificate is there as soon as it has started once.
    const text = async () => kubeconfigOf(url, (await readCertificate(folder)).cert, token);
    await start();
    const kubeconfigText = await text();
    const kubeconfig = join(folder, "admin.kubeconfig");
    await writeFile(kubeconfig, kubeconfigText, { mode: 0o600 });
    const admin = load(kubeconfigText);
    const core = admin.makeApiClient(CoreV1Api);
    const manager = startControllerManager(folder, kubeconfig);
    children.push(manager);
    const account = { name: "default", namespace: "default" };
    const isManaged = async () => core.readNamespacedServiceAccount(account);
    await manager.ready(until(isManaged, "the controllers to work"));
    const certificate = await readCertificate(folder);
    const { gitVersion: version } = await admin.makeApiClient(VersionApi).getCode({});
    return {
      url,
      version,
      kubeconfig,
      kubeconfigText,
      admin,
      certificate,
      async namespace() {
        const body = { metadata: { generateName: "test-" } };
        const { metadata } = await core.createNamespace({ body });
        return metadata?.name ?? "";
      },
      async serviceAccount(name, rules, namespace) {
        const issued = await grant(admin, name, rules, namespace);
        const path = join(folder, `${namespace ?? "everywhere"}-${name}.kubeconfig`);
        const own = kubeconfigOf(url, certificate.cert, issued, namespace);
        await inForce(load(own), rules, namespace);
        await writeFile(path, own, { mode: 0o600 });
        return path;
      },
      stopApiServer: () => apiServer.kill(),
      startApiServer: start,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The token of a new service account with these rights. */
async function grant(
  admin: KubeConfig,
  name: string,
  rules: readonly V1PolicyRule[],
  where: string | undefined,
): Promise<string> {
  const rbac = admin.makeApiClient(RbacAuthorizationV1Api);
  const core = admin.makeApiClient(CoreV1Api);
  const namespace = where ?? "default";
  const role = { metadata: { name }, rules: [...rules] };
  const bound = {
    metadata: { name },
    subjects: [{ kind: "ServiceAccount", name, namespace }],
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: where ? "Role" : "ClusterRole", name },
  };
  await core.createNamespacedServiceAccount({ namespace, body: { metadata: { name } } });
  if (where === undefined) {
    await rbac.createClusterRole({ body: role });
    await rbac.createClusterRoleBinding({ body: bound });
  } else {
    await rbac.createNamespacedRole({ namespace, body: role });
    await rbac.createNamespacedRoleBinding({ namespace, body: bound });
  }
  const request = { spec: { audiences: [], expirationSeconds: 86_400 } };
  const { status } = await core.createNamespacedServiceAccountToken({ name, namespace, body: request });
  return status?.token ?? "";
}

/** Waits until the API server, which learns of new roles a moment later, admits the first of `rules`. */
async function inForce(
  config: KubeConfig,
  rules: readonly V1PolicyRule[],
  namespace?: string,
): Promise<void> {
  const rule = rules[0];
  if (rule === undefined) return;
  const api = config.makeApiClient(AuthorizationV1Api);
  const [verb = "", path = ""] = [rule.verbs[0], rule.nonResourceURLs?.[0]];
  const [resource = "", subresource = ""] = (rule.resources?.[0] ?? "").split("/");
  const group = rule.apiGroups?.[0] ?? "";
  const name = rule.resourceNames?.[0] ?? "";
  const what = rule.nonResourceURLs
    ? { nonResourceAttributes: { verb, path } }
    : { resourceAttributes: { verb, group, resource, subresource, name, namespace: namespace ?? "" } };
  const isAllowed = async () => {
    const { status } = await api.createSelfSubjectAccessReview({ body: { spec: what } });
    return status?.allowed;
  };
  await until(isAllowed, "the rights to be in force");
}
