/** Installs what the tests run against and npm does not have, from Debian's packages. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildKubernetes, controlPlaneBinary, kubernetesBinaries } from "./kubernetes/build.ts";
import { install, installServer, onPath } from "./packages.ts";

// Debian's folder, Red Hat's, and those of Homebrew.
const POSTGRESQL_15 = [
  "/usr/lib/postgresql/15/bin",
  "/usr/pgsql-15/bin",
  "/opt/homebrew/opt/postgresql@15/bin",
  "/usr/local/opt/postgresql@15/bin",
];
/** Where sshd is; it wants to be started by its whole path. */
const SSHD = "/usr/sbin/sshd";
/** Read by Debian's scripts when they install a server; here only while this one is installed. */
const NO_CLUSTER = "/etc/postgresql-common/createcluster.d/awoooi-tests.conf";

/** The Alertmanager to test with; undefined when the machine has none. */
export const alertmanagerBinary = (): string | undefined => onPath("prometheus-alertmanager", "alertmanager");

/** The Prometheus to test with; undefined when the machine has none. */
export const prometheusBinary = (): string | undefined => onPath("prometheus");

/** The amtool to test with, which comes with Alertmanager; undefined when the machine has none. */
export const amtoolBinary = (): string | undefined => onPath("amtool");

/** The promtool to test with; undefined when the machine has none. */
export const promtoolBinary = (): string | undefined => onPath("promtool");

/** The Redis to test with, 6.2 or newer; undefined when the machine has none. */
export const redisBinary = (): string | undefined => onPath("redis-server");

/** The OpenSSH server to test with; undefined when the machine has none. */
export const sshdBinary = (): string | undefined => (existsSync(SSHD) ? SSHD : undefined);

/** The folder of PostgreSQL 15's programs; undefined when the machine has none. */
export function postgresql15(): string | undefined {
  return POSTGRESQL_15.find((folder) => existsSync(join(folder, "postgres")));
}

/** The programs only: Debian would also make a cluster and start it at every boot. */
function installPostgresql15(): void {
  mkdirSync(join(NO_CLUSTER, ".."), { recursive: true });
  writeFileSync(NO_CLUSTER, "create_main_cluster = false\n");
  try {
    install("postgresql-15");
  } finally {
    rmSync(NO_CLUSTER);
  }
}

type Tool = { name: string; found: () => string | undefined; install: () => void; otherwise: string };

/** A program that one Debian package puts on the PATH. */
const program = (name: string, debian: string, found: Tool["found"]): Tool => ({
  name,
  found,
  install: () => install(debian),
  otherwise: `on Debian: apt-get install ${debian}; elsewhere put its binary on the PATH`,
});

/** A server that one Debian package has, and starts as this service. */
const server = (
  name: string,
  debian: string,
  service: string,
  found: Tool["found"],
  elsewhere = "put its binary on the PATH",
): Tool => ({
  name,
  found,
  install: () => installServer(debian, service),
  otherwise: `on Debian: apt-get install ${debian}; elsewhere ${elsewhere}`,
});

const TOOLS: Record<string, Tool> = {
  alertmanager: program("Alertmanager", "prometheus-alertmanager", alertmanagerBinary),
  amtool: program("amtool", "prometheus-alertmanager", amtoolBinary),
  promtool: program("promtool", "prometheus", promtoolBinary),
  prometheus: program("Prometheus", "prometheus", prometheusBinary),
  openssl: program("openssl", "openssl", () => onPath("openssl")),
  wrk: program("wrk", "wrk", () => onPath("wrk")),
  redis: server("Redis", "redis-server", "redis-server", redisBinary),
  etcd: server("etcd", "etcd-server", "etcd", () => controlPlaneBinary("etcd")),
  sshd: server("sshd", "openssh-server", "ssh", sshdBinary, `have it as ${SSHD}`),
  kubernetes: {
    name: "Kubernetes",
    found: kubernetesBinaries,
    install: buildKubernetes,
    otherwise:
      "set KUBEBUILDER_ASSETS to a folder with kube-apiserver and kube-controller-manager 1.20 or newer, or " +
      "put them on the PATH",
  },
  postgresql15: {
    name: "PostgreSQL 15",
    found: postgresql15,
    install: installPostgresql15,
    otherwise: `on Debian: apt-get install postgresql-15; elsewhere into one of ${POSTGRESQL_15.join(", ")}`,
  },
};

/** What the tests need; benchmarks are asked for by name. */
const TESTS = [
  "alertmanager",
  "amtool",
  "promtool",
  "prometheus",
  "postgresql15",
  "redis",
  "openssl",
  "etcd",
  "kubernetes",
  "sshd",
];

if (import.meta.main) {
  const wanted = process.argv.length > 2 ? process.argv.slice(2) : TESTS;
  for (const { name, found, install, otherwise } of wanted.flatMap((one) => TOOLS[one] ?? [])) {
    if (found() !== undefined) continue;
    try {
      process.stdout.write(`Installing Debian's ${name}…\n`);
      install();
      if (found() === undefined) throw new Error("it is not where it was expected");
    } catch (error) {
      process.stderr.write(
        `${name} is needed, and could not be installed: ${error instanceof Error ? error.message : error}\n` +
          `To have it, ${otherwise}.\n`,
      );
      process.exitCode = 1;
    }
  }
}
