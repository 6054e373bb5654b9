import { accessSync, constants, readFileSync } from "node:fs";
import type { KubeConfig } from "@kubernetes/client-node";
import { messageOf } from "../../../../lib/error.ts";
import { registerSecrets } from "../../../../lib/redact.ts";
import type { ClusterConfig } from "./config.ts";
import { overHttp1 } from "./connections.ts";
import { library } from "./library.ts";

const TOKEN_FILE = "/var/run/secrets/kubernetes.io/serviceaccount/token";

export type Loaded = { ok: true; name: string; kubeConfig: KubeConfig } | { ok: false; error: string };

const fail = (error: string): Loaded => ({ ok: false, error });

function readable(file: string): string | undefined {
  try {
    accessSync(file, constants.R_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "does not exist" : "cannot be read";
  }
}

/** Returns the YAML parser's reason without the lines that it quotes, which may contain a token. */
function reasonOf(error: unknown): string {
  const { reason, mark } = error as { reason?: string; mark?: { line?: number } };
  return reason === undefined ? messageOf(error) : `${reason}, line ${(mark?.line ?? 0) + 1}`;
}

function loadInCluster(name: string): Loaded {
  const missing = readable(TOKEN_FILE);
  if (missing !== undefined)
    return fail(`in_cluster is set, but this is not a pod with a service account: ${TOKEN_FILE} ${missing}`);
  const kubeConfig = overHttp1(new (library().KubeConfig)());
  kubeConfig.loadFromCluster();
  const { server = "" } = kubeConfig.getCurrentCluster() ?? {};
  return server.includes("undefined")
    ? fail("in_cluster is set, but KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not")
    : { ok: true, name, kubeConfig };
}

/** Returns why the kubeconfig cannot be used with its current context; undefined if it can. */
function gap(kubeConfig: KubeConfig, file: string): string | undefined {
  const name = kubeConfig.getCurrentContext();
  const known = kubeConfig.getContexts().map((one) => one.name);
  const there = known.length === 0 ? "it has none" : `it has: ${known.join(", ")}`;
  if (!name) return `${file} has no current-context: set context (${there})`;
  if (!known.includes(name)) return `${file} has no context "${name}"; ${there}`;
  const context = kubeConfig.getContextObject(name);
  const cluster = kubeConfig.getCurrentCluster();
  const user = kubeConfig.getCurrentUser();
  if (cluster === null)
    return `context "${name}" of ${file} names the cluster "${context?.cluster}", which is not in it`;
  if (user === null)
    return `context "${name}" of ${file} names the user "${context?.user}", which is not in it`;
  if (!URL.canParse(cluster.server)) return `the server of context "${name}" of ${file} is not a URL`;
  if (cluster.server.startsWith("http:") && !cluster.skipTLSVerify)
    return `the server of context "${name}" of ${file} is plain http, which requires insecure-skip-tls-verify: true`;
  for (const named of [cluster.caFile, user.certFile, user.keyFile]) {
    const missing = named ? readable(named) : undefined;
    if (missing !== undefined) return `context "${name}" of ${file} needs ${named}, which ${missing}`;
  }
  return undefined;
}

/** Loads and checks the access to a cluster, without using the network. */
export function loadKubeConfig(config: ClusterConfig): Loaded {
  if (config.in_cluster) return loadInCluster(config.name ?? "in-cluster");
  const file = config.kubeconfig ?? "";
  const missing = readable(file);
  if (missing !== undefined) return fail(`${file} ${missing}`);
  const kubeConfig = overHttp1(new (library().KubeConfig)());
  try {
    // For an empty file, the library's own error would name one of its internal variables.
    if (readFileSync(file, "utf8").trim() === "") return fail(`${file} is empty`);
    kubeConfig.loadFromFile(file);
  } catch (error) {
    return fail(`${file} is not a kubeconfig: ${reasonOf(error)}`);
  }
  if (config.context !== undefined) kubeConfig.setCurrentContext(config.context);
  const wrong = gap(kubeConfig, file);
  const { token, password } = kubeConfig.getCurrentUser() ?? {};
  // Redact them everywhere: a plugin's error or a proxy's page may quote them.
  registerSecrets([token ?? "", password ?? ""]);
  return wrong === undefined
    ? { ok: true, name: config.name ?? kubeConfig.getCurrentContext(), kubeConfig }
    : fail(wrong);
}
