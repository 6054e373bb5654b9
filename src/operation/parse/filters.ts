import { type FlagTable, flagTable, readFlags } from "./flags.ts";
import { excerpt, refuse } from "./refused.ts";
import { checkUnknownValues } from "./unknown-words.ts";
import { requireKnown, type UnknownPart, type Word } from "./word.ts";

/**
 * A command that only processes its piped input. `operands` is how many it may have, so that none is a file. If the
 * flag `program` is given, it replaces the operand.
 */
type Filter = {
  flags: FlagTable;
  operands: number;
  program?: string;
  check?: (operands: readonly Word[]) => void;
};

const GREP = flagTable(
  "-E,--extended-regexp -F,--fixed-strings -G,--basic-regexp -P,--perl-regexp -e,--regexp= -i,--ignore-case",
  "-v,--invert-match -w,--word-regexp -x,--line-regexp -c,--count -l,--files-with-matches -m,--max-count=",
  "-o,--only-matching -q,--quiet -s,--no-messages -n,--line-number -A,--after-context=",
  "-B,--before-context= -C,--context= --color=? --colour=? -a,--text --line-buffered -h,--no-filename -z",
  "-0 -1 -2 -3 -4 -5 -6 -7 -8 -9",
);
const LINES = flagTable("-n,--lines= -c,--bytes= -q,--quiet -v,--verbose -0 -1 -2 -3 -4 -5 -6 -7 -8 -9");

// awk can run programs and write files: only printing, and comparing without `>`, is allowed.
const AWK_DANGER =
  /[|>@`]|system|getline|close|fflush|ENVIRON|SYMTAB|FUNCTAB|PROCINFO|ARG[VC]|print(f)?\s*\(?[^;}]*>|include|load/i;
// jq can show its environment and load modules; `.env` is only a field.
const JQ_DANGER = /(^|[^.\w"'])(env|\$ENV|import|include|input_filename|get_search_list)\b/;
// sed can write files (w), run programs (e) and read files (r): only addresses with p, d or q, and s///, are allowed.
const SED =
  /^(\d+|\$)?(,(\d+|\$))?[pdq]$|^\/[^/\n\\;]{1,200}\/[pd]$|^s([/|,#])(?:(?!\4)[^\n\\;]){0,200}\4(?:(?!\4)[^\n\\;]){0,200}\4[gpiI0-9]{0,4}$/;

const checkProgram = (pattern: RegExp, wanted: boolean, what: string) => (operands: readonly Word[]) => {
  // jq without a program prints its input; awk and sed fail by themselves.
  if (operands[0] === undefined) return;
  const program = requireKnown(operands[0], `the program of ${what}`);
  if (pattern.test(program) !== wanted) {
    refuse(`${what} ${excerpt(program)} might run a program, or read or write a file`);
  }
};
const FILTERS: Readonly<Record<string, Filter>> = {
  grep: { flags: GREP, operands: 1, program: "--regexp" },
  egrep: { flags: GREP, operands: 1, program: "--regexp" },
  fgrep: { flags: GREP, operands: 1, program: "--regexp" },
  head: { flags: LINES, operands: 0 },
  tail: { flags: LINES, operands: 0 },
  wc: { flags: flagTable("-l,--lines -w,--words -c,--bytes -m,--chars -L,--max-line-length"), operands: 0 },
  sort: {
    flags: flagTable(
      "-r,--reverse -n,--numeric-sort -h,--human-numeric-sort -u,--unique -k,--key= -t,--field-separator=",
      "-f,--ignore-case -V,--version-sort -b,--ignore-leading-blanks -g,--general-numeric-sort -s,--stable",
    ),
    operands: 0,
  },
  uniq: { flags: flagTable("-c,--count -d,--repeated -u,--unique -i,--ignore-case"), operands: 0 },
  cut: {
    flags: flagTable(
      "-d,--delimiter= -f,--fields= -c,--characters= -b,--bytes= -s,--only-delimited",
      "--complement --output-delimiter=",
    ),
    operands: 0,
  },
  tr: { flags: flagTable("-d,--delete -s,--squeeze-repeats -c,-C,--complement"), operands: 2 },
  cat: { flags: flagTable("-n,--number -A,--show-all -s,--squeeze-blank"), operands: 0 },
  nl: { flags: flagTable("-b=? -w="), operands: 0 },
  tac: { flags: flagTable(), operands: 0 },
  rev: { flags: flagTable(), operands: 0 },
  column: { flags: flagTable("-t,--table -s,--separator= -o,--output-separator= -n,--json"), operands: 0 },
  fold: { flags: flagTable("-w,--width= -s,--spaces"), operands: 0 },
  base64: { flags: flagTable("-d,--decode -D -w,--wrap= -i,--ignore-garbage"), operands: 0 },
  jq: {
    flags: flagTable(
      "-r,--raw-output -c,--compact-output -C,--color-output -M,--monochrome-output -S,--sort-keys",
      "-e,--exit-status -s,--slurp -n,--null-input -j,--join-output -a,--ascii-output --tab",
    ),
    operands: 1,
    check: checkProgram(JQ_DANGER, false, "jq"),
  },
  awk: {
    flags: flagTable("-F,--field-separator= -v="),
    operands: 1,
    check: checkProgram(AWK_DANGER, false, "awk"),
  },
  sed: {
    flags: flagTable("-n,--quiet -E,-r,--regexp-extended"),
    operands: 1,
    check: checkProgram(SED, true, "sed"),
  },
};

// Commands that only print or wait: allowed beside a read, as in `kubectl get … || echo none`.
const PRINTERS: ReadonlySet<string> = new Set(["echo", "printf", "true", "false", ":", "sleep"]);

const isSeveral = ({ splits, origin }: UnknownPart): boolean => splits && origin !== "placeholder";

export const isFilter = (name: string): boolean => Object.hasOwn(FILTERS, name);
export const isPrinter = (name: string): boolean => PRINTERS.has(name);

/** Refuses a filter that could do more than process its piped input. */
export function checkFilter(name: string, words: readonly Word[]): void {
  const one = FILTERS[name];
  if (one === undefined) refuse(`${excerpt(name)} is not a known filter`);
  const read = readFlags(words, one.flags, name);
  checkUnknownValues(read, false, name);
  const { flags, operands, rest } = read;
  const all = [...operands, ...(rest ?? [])];
  const given = flags.some((flag) => flag.name === one.program);
  if (all.length > (given ? 0 : one.operands)) {
    refuse(`${name} would read ${excerpt(all.at(-1)?.text ?? "")}, not only its piped input`);
  }
  one.check?.(all);
  // If a word expands to several, all after the first are read as files. `[n]ginx` stays one word unless such a file exists.
  const several = all.find((word) => word.parts.some(isSeveral) && !/^[^/*]*[[?][^/*]*$/.test(word.text));
  if (several !== undefined) refuse(`${excerpt(several.text)} may become files that ${name} reads: quote it`);
}
