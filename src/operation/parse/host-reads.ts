import { DEFINITIONS_BY_KIND } from "../operation.ts";
import type { Context } from "./context.ts";
import { type FlagTable, flagTable, readFlags } from "./flags.ts";
import { excerpt, refuse } from "./refused.ts";
import { checkUnknownOperands, checkUnknownValues } from "./unknown-words.ts";
import { readOnlyVerdict, type Verdict } from "./verdict.ts";
import { mayBeFlag, type Word } from "./word.ts";

/** A command that shows a host's state and changes nothing. `operands`: pattern of the allowed operands. */
type HostRead = { flags: FlagTable; operands: RegExp };

const NO_OPERANDS = /^(?!)/;
const PATHS = /^[\w./@:+-]+$/;
// A file may hold a secret: only files on the machine's state and names, and its logs, may be read.
const READABLE =
  /^(?!.*\/\.)\/(?:proc\/(?:loadavg|meminfo|cpuinfo|uptime|version|mounts|diskstats|stat|vmstat|swaps|partitions|mdstat|net\/\w+|pressure\/\w+)|etc\/(?:os-release|hostname|hosts|resolv\.conf|timezone)|var\/log\/[\w./@:+-]+)$/;
const READS: Readonly<Record<string, HostRead>> = {
  uptime: { flags: flagTable("-p,--pretty -s,--since"), operands: NO_OPERANDS },
  df: {
    flags: flagTable("-h,--human-readable -H,--si -i,--inodes -T,--print-type -k -m -l,--local -a,--all -P"),
    operands: PATHS,
  },
  free: {
    flags: flagTable("-h,--human -b,--bytes -k,--kibi -m,--mebi -g,--gibi -w,--wide -t,--total --si"),
    operands: NO_OPERANDS,
  },
  // Besides flags, ps takes BSD letters: `ps aux`. The letter `e`, which shows environments, is not allowed.
  ps: {
    flags: flagTable("-e -A -f -F -a -l -L -w -o,--format= --sort= --no-headers -u= -p= -C= --forest"),
    operands: /^[auxwflj]{1,8}$/,
  },
  top: { flags: flagTable("-b -n= -o= -w= -c -H"), operands: NO_OPERANDS },
  vmstat: { flags: flagTable("-a -s -w -S="), operands: /^\d{1,3}$/ },
  nproc: { flags: flagTable("--all"), operands: NO_OPERANDS },
  uname: { flags: flagTable("-a,--all -r,--kernel-release -s -n -m -v"), operands: NO_OPERANDS },
  who: { flags: flagTable("-a,--all -b,--boot -H,--heading -q,--count"), operands: NO_OPERANDS },
  lsblk: { flags: flagTable("-f,--fs -a,--all -o,--output= -p,--paths"), operands: PATHS },
  du: {
    flags: flagTable("-h,--human-readable -s,--summarize -a -x,--one-file-system -d,--max-depth= -c,--total"),
    operands: PATHS,
  },
  ls: { flags: flagTable("-l -a,--all -A -h -t -r -S -R -1 -d -i"), operands: PATHS },
  cat: {
    flags: flagTable("-n,--number -A,--show-all -s,--squeeze-blank -b,--number-nonblank"),
    operands: READABLE,
  },
  // An operand of `date` without `+` would set the clock; one of `hostname` would set the name.
  date: {
    flags: flagTable("-u,--utc -R,--rfc-email -I,--iso-8601=?"),
    operands: /^\+/,
  },
  hostname: {
    flags: flagTable("-f,--fqdn -s,--short -d,--domain -i,--ip-address -I,--all-ip-addresses"),
    operands: NO_OPERANDS,
  },
  whoami: { flags: flagTable(), operands: NO_OPERANDS },
  id: { flags: flagTable("-u -g -G -n"), operands: NO_OPERANDS },
  ss: { flags: flagTable("-t -u -l -n -p -a -s -4 -6 -i -m -o -x"), operands: NO_OPERANDS },
};

/** By program the operation that shows the same. */
const OPERATION_BY_PROGRAM = new Map(
  [...DEFINITIONS_BY_KIND].flatMap(([kind, { programs }]) =>
    programs === undefined ? [] : programs.names.map((name) => [name, { ...programs, kind }] as const),
  ),
);

export const isHostRead = (name: string): boolean => Object.hasOwn(READS, name);

const isPattern = ({ parts }: Word): boolean => parts.every(({ origin }) => origin === "pattern");

/** Parses a command that reads the state of a host, or of this machine when none is named. */
export function parseHostRead(name: string, words: readonly Word[], context: Context): Verdict {
  const one = READS[name];
  if (one === undefined) return refuse(`${excerpt(name)} is not a known command`);
  const read = readFlags(words, one.flags, name);
  checkUnknownValues(read, false, name);
  const { operands, rest } = read;
  // du has a flag that prints a file's content; a word that is only a pattern cannot name a file elsewhere.
  if (name === "du")
    checkUnknownOperands(
      operands.filter((word) => !isPattern(word)),
      "harm",
      name,
    );
  const all = [...operands, ...(rest ?? [])];
  // An unknown word is harmless as the path of a file to list; elsewhere it might be anything.
  const isName = (word: Word) => word.unknown !== null && one.operands === PATHS;
  const odd = all.find((word) => !isName(word) && (mayBeFlag(word) || !one.operands.test(word.text)));
  if (odd !== undefined) refuse(`${excerpt(odd.text)} is not an allowed argument of ${name}`);
  if (one.operands === READABLE && all.length === 0) refuse(`${name} names no file`);
  const operation = OPERATION_BY_PROGRAM.get(name);
  return readOnlyVerdict(
    `${name} only reads`,
    operation === undefined ? null : { kind: operation.kind, ...operation.read(context) },
  );
}
