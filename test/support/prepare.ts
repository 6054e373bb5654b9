/** Installs what the tests run against and npm does not have: Debian's Alertmanager, and Prometheus' promtool. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** A program, the names that its binary goes by, and the Debian package that has it. */
type Tool = { name: string; binaries: readonly string[]; package: string };

const ALERTMANAGER: Tool = {
  name: "Alertmanager",
  binaries: ["prometheus-alertmanager", "alertmanager"],
  package: "prometheus-alertmanager",
};
const PROMTOOL: Tool = { name: "promtool", binaries: ["promtool"], package: "prometheus" };

function find({ binaries }: Tool): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  return folders
    .flatMap((folder) => binaries.map((binary) => join(folder, binary)))
    .find((path) => existsSync(path));
}

/** The Alertmanager to test with; undefined when the machine has none. */
export const alertmanagerBinary = (): string | undefined => find(ALERTMANAGER);

/** The promtool to test with; undefined when the machine has none. */
export const promtoolBinary = (): string | undefined => find(PROMTOOL);

function apt(...args: string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  execFileSync("apt-get", ["-q", "-y", ...args], { env, stdio: ["ignore", "ignore", "pipe"] });
}

function install(tool: Tool): void {
  const get = () => apt("install", "--no-install-recommends", tool.package);
  try {
    get();
  } catch {
    // A new machine knows no packages before its first update.
    apt("update");
    get();
  }
}

if (import.meta.main) {
  for (const tool of [ALERTMANAGER, PROMTOOL].filter((one) => find(one) === undefined)) {
    try {
      process.stdout.write(`Installing Debian's ${tool.package} for the tests…\n`);
      install(tool);
    } catch (error) {
      process.stderr.write(
        `The tests need ${tool.name}, and it could not be installed: ${error instanceof Error ? error.message : error}\n` +
          `On Debian: apt-get install ${tool.package}; elsewhere put its binary on the PATH.\n`,
      );
      process.exitCode = 1;
    }
  }
}
