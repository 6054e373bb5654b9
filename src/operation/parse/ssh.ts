import { hostName } from "../names.ts";
import { Flags, flagTable, readLeadingFlags } from "./flags.ts";
import { excerpt, refuse } from "./refused.ts";
import { checkUnknownValues } from "./unknown-words.ts";
import type { Verdict } from "./verdict.ts";
import { requireKnown, type Word } from "./word.ts";

const SSH = flagTable(
  "-4 -6 -A -a -C -f -G -g -K -k -M -N -n -q -s -T -t -V -v -X -x -Y -y",
  "-B= -b= -c= -D= -E= -e= -F= -I= -i= -J= -L= -l= -m= -O= -o= -P= -p= -Q= -R= -S= -W= -w=",
);
/** Flags that change neither the destination nor the identity. */
const HARMLESS_FLAGS = ["-4", "-6", "-a", "-C", "-k", "-n", "-q", "-T", "-t", "-v", "-x", "-o"];
/** Flags for account, key and port: allowed for a read only. */
const ACCOUNT_FLAGS = ["-i", "-l", "-p"];
const REFUSED_FLAGS: ReadonlyMap<string, string> = new Map([
  ["-J", "goes through another host"],
  ["-W", "forwards a connection"],
  ["-L", "forwards a connection"],
  ["-R", "forwards a connection"],
  ["-D", "forwards connections"],
  ["-w", "forwards a network"],
  ["-A", "lends this machine's keys to the host"],
  ["-K", "lends this machine's credentials to the host"],
  ["-X", "forwards a display"],
  ["-Y", "forwards a display"],
  ["-F", "reads another configuration, which can run programs"],
  ["-N", "runs nothing"],
  ["-s", "asks for a subsystem"],
]);
// Any other option is refused: ProxyCommand, LocalCommand, KnownHostsCommand and others run programs.
const OPTIONS: ReadonlyMap<string, RegExp> = new Map([
  ["connecttimeout", /^\d{1,4}$/],
  ["connectionattempts", /^\d{1,2}$/],
  ["serveraliveinterval", /^\d{1,4}$/],
  ["serveralivecountmax", /^\d{1,3}$/],
  ["batchmode", /^(yes|no)$/],
  ["loglevel", /^[A-Za-z0-9]+$/],
  ["compression", /^(yes|no)$/],
  ["requesttty", /^(yes|no|auto|force)$/],
  ["passwordauthentication", /^no$/],
  ["stricthostkeychecking", /^(yes|ask|accept-new)$/],
]);

function checkOption(text: string): void {
  const [, name = "", value = ""] = /^\s*(\w+)\s*[=\s]\s*(\S+)\s*$/.exec(text) ?? [];
  const allowed = OPTIONS.get(name.toLowerCase());
  if (allowed === undefined) refuse(`-o ${excerpt(text)} is not an allowed option of ssh`);
  if (!allowed.test(value)) refuse(`-o ${excerpt(text)} removes a safeguard, or is not a valid value`);
}

/** A remote command: the text for the host's shell, and the given account, key or port flag. */
export type Remote = { host: string; command: string; account: string | null };

/**
 * Parses ssh's arguments. The command is everything after the host, joined by blanks: the host's shell parses
 * it again, so quotes that the local shell has removed protect nothing there.
 */
export function parseSsh(words: readonly Word[]): Remote {
  const before = readLeadingFlags(words, SSH, "ssh");
  const behind = before.rest ?? words.slice(before.next);
  const destination = behind[0];
  if (destination === undefined) refuse("ssh names no host");
  const text = requireKnown(destination, "the host");
  // ssh accepts flags after the host, too, up to the command.
  const after = readLeadingFlags(behind.slice(1), SSH, "ssh");
  const command = after.rest ?? behind.slice(1 + after.next);
  checkUnknownValues(before, false, "ssh");
  checkUnknownValues(after, false, "ssh");
  const all = [...before.flags, ...after.flags];
  for (const { name, value } of all) {
    if (REFUSED_FLAGS.has(name)) refuse(`${name} of ssh ${REFUSED_FLAGS.get(name)}`);
    if (![...HARMLESS_FLAGS, ...ACCOUNT_FLAGS].includes(name))
      refuse(`${name} is not an allowed flag of ssh`);
    if (name === "-o" && value !== true) checkOption(requireKnown(value, "the value of -o"));
  }
  const flags = new Flags(all);
  const [, user, host = ""] = /^(?:([^@]*)@)?(.*)$/s.exec(text) ?? [];
  if (!hostName.safeParse(host).success) refuse(`${excerpt(host)} is not a host name`);
  if (command.length === 0) refuse("ssh without a command opens a session");
  // The local shell would expand these, and the host's shell would parse the result as commands.
  const filled = command.find(({ parts }) => parts.some(({ origin }) => origin !== "placeholder"));
  if (filled !== undefined)
    refuse(`${excerpt(filled.text)} is expanded by the local shell before the host runs it`);
  const account = ACCOUNT_FLAGS.find((name) => flags.has(name)) ?? (user === undefined ? null : `${user}@`);
  return { host, command: command.map((word) => word.text).join(" "), account };
}

/** Returns the verdict on the remote command; refuses a change that names an account, key or port. */
export function remoteVerdict(remote: Remote, verdict: Verdict): Verdict {
  const reason = `on ${remote.host}: ${verdict.reason}`;
  if (remote.account === null) return { ...verdict, reason };
  if (verdict.class === "read_only") return { ...verdict, operation: null, reason };
  return refuse(
    `${excerpt(remote.account)}: the account, key and port of a change come from the configuration`,
  );
}
