import { readFileSync, statSync } from "node:fs";
import { messageOf } from "../../../lib/error.ts";
import type { SshConfig } from "./config.ts";
import { parseKnownHosts } from "./connection/known-hosts.ts";
import { library } from "./connection/library.ts";

/** A problem with a file named by a setting; `path` is dotted and relative to the section. */
export type SshProblem = { path: string; message: string; fatal: boolean };

function fileProblems(path: string, file: string, secret: boolean): SshProblem[] {
  try {
    const stat = statSync(file);
    if (secret && (stat.mode & 0o077) !== 0)
      return [{ path, message: `${file} is readable by others: chmod 600 ${file}`, fatal: true }];
    readFileSync(file);
    return [];
  } catch (error) {
    return [{ path, message: messageOf(error), fatal: true }];
  }
}

type Secrets = {
  identity_file?: string | undefined;
  passphrase?: string | undefined;
  passphrase_file?: string | undefined;
};

function keyProblems(
  path: string,
  { identity_file: file, passphrase, passphrase_file }: Secrets,
): SshProblem[] {
  if (file === undefined) return [];
  const found = fileProblems(path, file, true);
  if (found.length > 0) return found;
  try {
    const secret =
      passphrase_file === undefined ? passphrase : readFileSync(passphrase_file, "utf8").trimEnd();
    const parsed = library().utils.parseKey(readFileSync(file), secret);
    if (!(parsed instanceof Error)) return [];
    const needs = /no passphrase|encrypted/i.test(parsed.message) && secret === undefined;
    const message = needs
      ? `${file} needs a passphrase`
      : `${file} is not a private key, or its passphrase is wrong`;
    return [{ path, message, fatal: true }];
  } catch {
    // An unreadable passphrase file is reported under its own setting.
    return [];
  }
}

function knownHostsProblems(file: string, path: string): SshProblem[] {
  const found = fileProblems(path, file, false);
  if (found.length > 0) return found;
  const { keys, problems } = parseKnownHosts(readFileSync(file, "utf8"), file);
  const empty = keys.length === 0 ? [{ path, message: `${file} contains no key`, fatal: false }] : [];
  return [...problems.map((message) => ({ path, message, fatal: false })), ...empty];
}

/** Returns the problems of the files that the section names, as they are now. */
export function sshProblems(config: SshConfig): SshProblem[] {
  const secrets = (path: string, one: Record<string, unknown>) =>
    ["passphrase_file", "password_file"].flatMap((name) => {
      const file = one[name];
      return typeof file === "string" ? fileProblems(`${path}${name}`, file, true) : [];
    });
  const agents = (path: string, agent: string | undefined): SshProblem[] => {
    if (agent === undefined || statSync(agent, { throwIfNoEntry: false })?.isSocket()) return [];
    return [{ path: `${path}agent`, message: `${agent} is not a socket now`, fatal: false }];
  };
  return [
    ...config.known_hosts.flatMap((file, index) => knownHostsProblems(file, `known_hosts.${index}`)),
    ...keyProblems("identity_file", config),
    ...secrets("", config),
    ...agents("", config.agent),
    ...config.hosts.flatMap((host, index) => {
      const path = `hosts.${index}.`;
      return [
        ...keyProblems(`${path}identity_file`, host),
        ...secrets(path, host),
        ...agents(path, host.agent),
      ];
    }),
  ];
}
