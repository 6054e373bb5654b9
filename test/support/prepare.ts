/** Installs what the tests run against and npm does not have, from Debian's packages. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";

// Debian's folder, Red Hat's, and those of Homebrew.
const POSTGRESQL_15 = [
  "/usr/lib/postgresql/15/bin",
  "/usr/pgsql-15/bin",
  "/opt/homebrew/opt/postgresql@15/bin",
  "/usr/local/opt/postgresql@15/bin",
];
/** Asked by Debian's scripts before they start a server that they have installed; here only meanwhile. */
const POLICY = "/usr/sbin/policy-rc.d";
/** Read by Debian's scripts when they install a server; here only while this one is installed. */
const NO_CLUSTER = "/etc/postgresql-common/createcluster.d/awoooi-tests.conf";

function onPath(...names: string[]): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  return folders
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find((path) => existsSync(path));
}

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

/** The folder of PostgreSQL 15's programs; undefined when the machine has none. */
export function postgresql15(): string | undefined {
  return POSTGRESQL_15.find((folder) => existsSync(join(folder, "postgres")));
}

function apt(...args: string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  execFileSync("apt-get", ["-q", "-y", ...args], { env, stdio: ["ignore", "ignore", "pipe"] });
}

function install(name: string): void {
  const get = () => apt("install", "--no-install-recommends", name);
  try {
    get();
  } catch {
    // A new machine knows no packages before its first update.
    apt("update");
    get();
  }
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

/** The program only: Debian would also start a server, now and at every boot, where it may. */
function installRedis(): void {
  const refuses = existsSync(POLICY);
  if (!refuses) writeFileSync(POLICY, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    install("redis-server");
    if (existsSync("/run/systemd/system")) execFileSync("systemctl", ["disable", "redis-server"]);
  } finally {
    if (!refuses) rmSync(POLICY);
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

const TOOLS: Record<string, Tool> = {
  alertmanager: program("Alertmanager", "prometheus-alertmanager", alertmanagerBinary),
  amtool: program("amtool", "prometheus-alertmanager", amtoolBinary),
  promtool: program("promtool", "prometheus", promtoolBinary),
  prometheus: program("Prometheus", "prometheus", prometheusBinary),
  wrk: program("wrk", "wrk", () => onPath("wrk")),
  redis: {
    name: "Redis",
    found: redisBinary,
    install: installRedis,
    otherwise: "on Debian: apt-get install redis-server; elsewhere put redis-server on the PATH",
  },
  postgresql15: {
    name: "PostgreSQL 15",
    found: postgresql15,
    install: installPostgresql15,
    otherwise: `on Debian: apt-get install postgresql-15; elsewhere into one of ${POSTGRESQL_15.join(", ")}`,
  },
};

/** What the tests need; benchmarks are asked for by name. */
const TESTS = ["alertmanager", "amtool", "promtool", "prometheus", "postgresql15", "redis"];

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
