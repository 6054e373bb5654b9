/** Programs that the tests run: where they are, and how Debian's packages bring them. */
import { execFileSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Asked by Debian's scripts before they start a server that they have installed; here only meanwhile. */
const POLICY = "/usr/sbin/policy-rc.d";

/** The first program of one of these names on the PATH. */
export function onPath(...names: string[]): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  return folders
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find((path) => existsSync(path));
}

/** `apt-get` without questions, which waits for another one that is at work. */
export function apt(args: readonly string[], cwd?: string): void {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const own = ["-q", "-y", "-o", "DPkg::Lock::Timeout=300"];
  execFileSync("apt-get", [...own, ...args], { env, cwd, stdio: ["ignore", "ignore", "pipe"] });
}

/** Installs packages of Debian's. */
export function install(...names: string[]): void {
  const get = () => apt(["install", "--no-install-recommends", ...names]);
  try {
    get();
  } catch {
    // A new machine knows no packages before its first update.
    apt(["update"]);
    get();
  }
}

/** The program only: Debian would also start its service, now and at every boot, where it may. */
export function installServer(name: string, service: string): void {
  const refuses = existsSync(POLICY);
  if (!refuses) writeFileSync(POLICY, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    install(name);
    if (existsSync("/run/systemd/system")) execFileSync("systemctl", ["disable", service]);
  } finally {
    if (!refuses) rmSync(POLICY, { force: true });
  }
}
