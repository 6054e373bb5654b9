import type { Context } from "./context.ts";
import { Flags, flagTable, readFlags } from "./flags.ts";
import { matchingOperation, operationCommands } from "./operation-commands.ts";
import { excerpt, refuse } from "./refused.ts";
import type { SystemctlCommand } from "./tool-command.ts";
import { checkUnknownOperands, checkUnknownValues } from "./unknown-words.ts";
import { readOnlyVerdict, type Verdict } from "./verdict.ts";
import { requireKnown, unknownIn, type Word } from "./word.ts";

const SYSTEMCTL = flagTable(
  "--system --user -t,--type= --state= --failed -p,--property= -P= -a,--all -l,--full -r,--recursive",
  "--reverse --with-dependencies --after --before -T,--show-transaction --show-types --value -q,--quiet",
  "--wait --no-block --no-pager --no-legend --legend= --plain --no-ask-password -n,--lines= -o,--output=",
  "--timestamp= --version -h,--help -H,--host= -M,--machine= --root= --image= --runtime --global --now",
  "-f,--force -s,--signal= --kill-whom= --kill-who= --what= --job-mode= --check-inhibitors= -i --no-wall",
  "--no-reload --dry-run --firmware-setup --boot-loader-menu= --boot-loader-entry= --mkdir --read-only",
  "--preset-mode= --message= --when= --marked --stdin --drop-in= --no-warn",
);
const READ_FLAGS = `--system --user --type --state --failed --property -P --all --full --recursive --reverse
  --with-dependencies --after --before --show-types --value --quiet --no-pager --no-legend --legend --plain
  --no-ask-password --lines --output --timestamp --version --help --wait`.split(/\s+/);

const READ_VERBS = new Set(
  `status show cat help is-active is-failed is-enabled is-system-running list-units list-unit-files
  list-sockets list-timers list-automounts list-paths list-jobs list-dependencies list-machines get-default
  show-environment whoami`.split(/\s+/),
);
const CHANGING_VERBS = new Set(
  `start stop reload try-restart reload-or-restart try-reload-or-restart force-reload condrestart isolate kill
  clean freeze thaw set-property bind mount-image service-log-level service-log-target reset-failed enable
  disable reenable preset preset-all mask unmask link revert add-wants add-requires edit set-default cancel
  set-environment unset-environment import-environment daemon-reload daemon-reexec log-level log-target
  service-watchdogs default rescue emergency halt poweroff reboot kexec soft-reboot exit switch-root suspend
  sleep hibernate hybrid-sleep suspend-then-hibernate`.split(/\s+/),
);

const OPERATIONS = operationCommands("systemctl");

function parseSystemctlChange(command: SystemctlCommand): Verdict {
  const { verb, flags } = command;
  const verdict = matchingOperation(OPERATIONS.get(verb) ?? [], command, () =>
    flags.only(["--system", "--quiet", "--no-pager", "--no-ask-password"], `of systemctl ${verb}`),
  );
  if (verdict !== null) return verdict;
  return CHANGING_VERBS.has(verb)
    ? refuse(`systemctl ${verb} changes something and is not a typed operation`)
    : refuse(`${excerpt(verb)} is not a known verb of systemctl`);
}

/** Parses systemctl: reads, and changes that are typed operations; refuses all else. */
export function parseSystemctl(words: readonly Word[], context: Context): Verdict {
  const read = readFlags(words, SYSTEMCTL, "systemctl");
  checkUnknownOperands(read.operands, "redirect", "systemctl");
  checkUnknownValues(read, false, "systemctl");
  const flags = new Flags(read.flags);
  const [first, ...operands] = [...read.operands, ...(read.rest ?? [])];
  // Without a verb, systemctl lists the units.
  const verb = first === undefined ? "list-units" : requireKnown(first, "the verb of systemctl");
  const odd = flags.names.find((name) => !READ_FLAGS.includes(name));
  if (!READ_VERBS.has(verb)) {
    return parseSystemctlChange({ tool: "systemctl", verb, flags, operands, context });
  }
  if (odd !== undefined) refuse(`${odd} is not an allowed flag of systemctl ${verb}`);
  const unknown = unknownIn([...operands, ...flags.words]);
  return unknown === null
    ? readOnlyVerdict(`systemctl ${verb} only reads`)
    : readOnlyVerdict(`only reads, whatever ${excerpt(unknown)} stands for`);
}

const JOURNALCTL = flagTable(
  "--system --user -m,--merge -D,--directory= --file= --namespace= -S,--since= -U,--until= -c,--cursor=",
  "--after-cursor= -b,--boot=? -u,--unit= --user-unit= -t,--identifier= -T,--exclude-identifier=",
  "-p,--priority= --facility= -g,--grep= --case-sensitive=? -k,--dmesg -o,--output= --output-fields=",
  "-n,--lines=? -r,--reverse --show-cursor --utc -x,--catalog --no-hostname --no-full --full -l -a,--all",
  "-f,--follow --no-tail -q,--quiet --no-pager -e,--pager-end -h,--help --version -N,--fields -F,--field=",
  "--list-boots --disk-usage --verify --header --list-catalog --list-invocations --list-namespaces",
  "-I --invocation= --truncate-newline",
  "--vacuum-size= --vacuum-files= --vacuum-time= --rotate --flush --sync --relinquish-var",
  "--smart-relinquish-var --setup-keys --update-catalog --cursor-file= --force --interval= --verify-key=",
  "--root= --image= --image-policy= -M,--machine= --dump-catalog --synchronize-on-exit=",
);
const REFUSED_JOURNAL_FLAGS: Readonly<Record<string, string>> = {
  "--vacuum-size": "deletes logs",
  "--vacuum-files": "deletes logs",
  "--vacuum-time": "deletes logs",
  "--rotate": "closes the journal's files",
  "--flush": "moves the journal",
  "--sync": "writes the journal out",
  "--relinquish-var": "moves the journal",
  "--smart-relinquish-var": "moves the journal",
  "--setup-keys": "creates keys",
  "--force": "replaces keys",
  "--interval": "belongs to the creation of keys",
  "--verify-key": "holds a key",
  "--update-catalog": "writes the catalogue",
  "--cursor-file": "writes a file",
  "--root": "reads another system",
  "--image": "reads another system",
  "--image-policy": "reads another system",
  "--machine": "reads another system",
};
// `-n` and `-b` take the next word as their value only if it is a number, as in `-n 50` and `-b -1`.
const NUMBER = /^([+-]?\d+|all|[0-9a-f]{32}([+-]\d+)?)$/;
const FLAGS_WITH_OPTIONAL_NUMBER = new Set(["-n", "--lines", "-b", "--boot"]);

function attachNumbers(words: readonly Word[]): Word[] {
  const attached: Word[] = [];
  for (const word of words) {
    const before = attached.at(-1);
    const takes =
      before !== undefined && before.unknown === null && FLAGS_WITH_OPTIONAL_NUMBER.has(before.text);
    if (takes && word.unknown === null && NUMBER.test(word.text)) {
      attached.pop();
      const text = `${before.text}${before.text.startsWith("--") ? "=" : ""}${word.text}`;
      attached.push({ ...word, text, head: text });
    } else attached.push(word);
  }
  return attached;
}

/** Parses journalctl, which only reads; refuses the flags that maintain its files. */
export function parseJournalctl(words: readonly Word[]): Verdict {
  const read = readFlags(attachNumbers(words), JOURNALCTL, "journalctl");
  const flags = new Flags(read.flags);
  for (const name of flags.names) {
    if (REFUSED_JOURNAL_FLAGS[name] !== undefined)
      refuse(`${name} of journalctl ${REFUSED_JOURNAL_FLAGS[name]}`);
  }
  checkUnknownOperands(read.operands, "harm", "journalctl");
  checkUnknownValues(read, true, "journalctl");
  if (flags.has("--follow")) return readOnlyVerdict("reads, and goes on until it is stopped (--follow)");
  const unknown = unknownIn([...read.operands, ...flags.words]);
  return unknown === null
    ? readOnlyVerdict("journalctl only reads")
    : readOnlyVerdict(`only reads, whatever ${excerpt(unknown)} stands for`);
}
