import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Child, startChild } from "../child.ts";
import { freePort } from "../ports.ts";
import { until } from "../until.ts";
import { controlPlaneBinary } from "./build.ts";

/** The API server's certificate, which it signs itself; others of the cluster may show it too. */
export type Certificate = { cert: string; key: string };

/** The program of this name, or an error that says how to have it. */
function binary(name: "etcd" | "kube-apiserver" | "kube-controller-manager"): string {
  const path = controlPlaneBinary(name);
  if (path === undefined) throw new Error(`there is no ${name}: run \`node test/support/prepare.ts\``);
  return path;
}

const flags = (values: Record<string, string | number>) =>
  Object.entries(values).map(([name, value]) => `--${name}=${value}`);

/** The store of a cluster, in `folder`; nothing is written through to the disk. */
export async function startEtcd(folder: string): Promise<{ url: string; child: Child }> {
  const url = `http://127.0.0.1:${await freePort()}`;
  const nobody = "http://127.0.0.1:0";
  const values = {
    "data-dir": join(folder, "etcd"),
    "listen-client-urls": url,
    "advertise-client-urls": url,
    "listen-peer-urls": nobody,
    "initial-advertise-peer-urls": nobody,
    "initial-cluster": `default=${nobody}`,
    "unsafe-no-fsync": "true",
  };
  const child = startChild(binary("etcd"), flags(values), join(folder, "etcd.log"));
  await child.ready(until(async () => (await fetch(`${url}/health`)).ok, "etcd to be healthy"));
  return { url, child };
}

/** Keys and tokens of the API server's own, written once, so that it can be started again on them. */
export async function writeCredentials(folder: string, token: string): Promise<void> {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  await writeFile(join(folder, "accounts.pem"), privateKey.export({ type: "sec1", format: "pem" }));
  await writeFile(join(folder, "tokens.csv"), `${token},admin,admin,"system:masters"\n`);
}

/** The API server on `port`, as soon as its process runs; RBAC decides who may do what. */
export function startApiServer(folder: string, etcd: string, port: number, more: readonly string[]): Child {
  const accounts = join(folder, "accounts.pem");
  const values = {
    "etcd-servers": etcd,
    "bind-address": "127.0.0.1",
    "advertise-address": "127.0.0.1",
    "secure-port": port,
    "cert-dir": join(folder, "tls"),
    "token-auth-file": join(folder, "tokens.csv"),
    "authorization-mode": "RBAC",
    "service-account-issuer": "https://kubernetes.default.svc",
    "service-account-key-file": accounts,
    "service-account-signing-key-file": accounts,
    "service-cluster-ip-range": "10.96.0.0/16",
    "kubelet-preferred-address-types": "InternalIP",
    "endpoint-reconciler-type": "none",
    // Else no pod is made before its namespace has its account.
    "disable-admission-plugins": "ServiceAccount",
  };
  return startChild(binary("kube-apiserver"), [...flags(values), ...more], join(folder, "apiserver.log"));
}

/** What the API server has signed itself in `folder`. */
export async function readCertificate(folder: string): Promise<Certificate> {
  const read = (name: string) => readFile(join(folder, "tls", name), "utf8");
  return { cert: await read("apiserver.crt"), key: await read("apiserver.key") };
}

/** All controllers: deployments, replica sets, disruption budgets, nodes, garbage. */
export function startControllerManager(folder: string, kubeconfig: string): Child {
  const program = binary("kube-controller-manager");
  const [, minor = 0] = /v1\.(\d+)/.exec(execFileSync(program, ["--version"], { encoding: "utf8" })) ?? [];
  const values = {
    kubeconfig,
    "leader-elect": "false",
    "secure-port": 0,
    "kube-api-qps": 1_000,
    "kube-api-burst": 1_000,
    // A stand-in kubelet on a busy machine is late, not lost.
    "node-monitor-grace-period": "10m",
  };
  // Its second, insecure port was removed in 1.24; before, it is open to all unless it is refused.
  const insecure = Number(minor) < 24 ? ["--port=0"] : [];
  return startChild(program, [...flags(values), ...insecure], join(folder, "controller-manager.log"));
}
