/**
 * Gets what the tests run against and npm does not have: Debian's Alertmanager. It is unpacked into a
 * cache folder, not installed: no service starts, and an ordinary user can do it too.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";

const CACHE = join(import.meta.dirname, "../../node_modules/.cache/awoooi-test");
const UNPACKED = join(CACHE, "alertmanager/usr/bin/prometheus-alertmanager");
const NAMES = ["prometheus-alertmanager", "alertmanager"];

/** The Alertmanager to test with: one on the machine, else the unpacked one; undefined when there is none. */
export function alertmanagerBinary(): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  const installed = folders.flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return [...installed, UNPACKED].find((path) => existsSync(path));
}

function run(command: string, args: string[], cwd: string): void {
  execFileSync(command, args, { cwd, stdio: ["ignore", "ignore", "pipe"] });
}

function download(folder: string): void {
  const get = () => run("apt-get", ["download", "-q", "prometheus-alertmanager"], folder);
  try {
    get();
  } catch (error) {
    if (process.getuid?.() !== 0) throw error;
    run("apt-get", ["update", "-q"], folder);
    get();
  }
}

function unpackAlertmanager(): void {
  const folder = join(CACHE, `download-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  try {
    download(folder);
    const deb = readdirSync(folder).find((name) => name.endsWith(".deb"));
    if (deb === undefined) throw new Error("apt-get download left no package");
    run("dpkg-deb", ["-x", deb, "alertmanager"], folder);
    renameSync(join(folder, "alertmanager"), join(CACHE, "alertmanager"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main && alertmanagerBinary() === undefined) {
  try {
    process.stdout.write("Fetching Debian's Alertmanager for the tests…\n");
    unpackAlertmanager();
  } catch (error) {
    process.stderr.write(
      `The tests need Alertmanager, and it could not be fetched: ${error instanceof Error ? error.message : error}\n` +
        "Install it (Debian: apt-get install prometheus-alertmanager), or put its binary on the PATH.\n",
    );
    process.exitCode = 1;
  }
}
