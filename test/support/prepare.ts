/** Installs what the tests run against and npm does not have: Debian's Alertmanager. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const PACKAGE = "prometheus-alertmanager";
const NAMES = [PACKAGE, "alertmanager"];

/** The Alertmanager to test with; undefined when the machine has none. */
export function alertmanagerBinary(): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  return folders
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find((path) => existsSync(path));
}

function apt(...args: string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  execFileSync("apt-get", ["-q", "-y", ...args], { env, stdio: ["ignore", "ignore", "pipe"] });
}

function install(): void {
  const get = () => apt("install", "--no-install-recommends", PACKAGE);
  try {
    get();
  } catch {
    // A new machine knows no packages before its first update.
    apt("update");
    get();
  }
}

if (import.meta.main && alertmanagerBinary() === undefined) {
  try {
    process.stdout.write("Installing Debian's Alertmanager for the tests…\n");
    install();
  } catch (error) {
    process.stderr.write(
      `The tests need Alertmanager, and it could not be installed: ${error instanceof Error ? error.message : error}\n` +
        `On Debian: apt-get install ${PACKAGE}; elsewhere put its binary on the PATH.\n`,
    );
    process.exitCode = 1;
  }
}
