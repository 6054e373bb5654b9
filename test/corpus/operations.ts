import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Parsed, parseOperation } from "../../src/operation/index.ts";
import type { Measure } from "./measure.ts";

type KubectlLine = { command: string; class: string; verb: string };
type SafetyLine = { command: string; label: string };

function linesOf<T>(folder: string, name: string): T[] {
  const text = readFileSync(join(folder, name), "utf8");
  return text.split("\n").flatMap((line) => (line.trim() === "" ? [] : [JSON.parse(line) as T]));
}

const percent = (part: number, whole: number) =>
  whole === 0 ? "none" : `${((100 * part) / whole).toFixed(1)} % (${part} of ${whole})`;
const row = (name: string, text: string) => console.log(`  ${name.padEnd(46)} ${text}`);

/** Whether a guard lets a command through without asking anybody. */
type Guard = (command: string) => boolean;

// Two guards that projects really have. The first forbids what looks dangerous, the second allows verbs.
const DENIED =
  /\brm\s+-|\bmkfs|\bdd\s+if=|:\(\)\{|shutdown|reboot|\bdelete\b|\bdrain\b|\bexec\b|--force|\bprune\b|>\s*\/|\|\s*(ba)?sh\b/;
const denyList: Guard = (command) => !DENIED.test(command);
const READ_VERBS =
  /^(sudo )?(kubectl (get|describe|logs|top|events|version|explain|cluster-info|api-resources)|docker (ps|logs|images|inspect|stats|info|version|top)|systemctl (status|show|is-active|list-units)|journalctl)\b/;
const allowList: Guard = (command) => READ_VERBS.test(command) && !/[;&|`$<>\n\\]/.test(command);
const ours: Guard = (command) => parseOperation(command).class === "read_only";
const GUARDS: readonly (readonly [string, Guard])[] = [
  ["awoooi", ours],
  ["deny-list", denyList],
  ["read-only verbs, no metacharacter", allowList],
];

function describe(one: { command: string }, parsed: Parsed, label: string): void {
  console.log(`    ${label} → ${parsed.class}: ${JSON.stringify(one.command)}\n      ${parsed.reason}`);
}

function kubectlLines(folder: string, verbose: boolean): void {
  const all = linesOf<KubectlLine>(folder, "kubectl-commands.jsonl");
  const parsed = all.map((one) => ({ one, parsed: parseOperation(one.command) }));
  console.log("\nkubectl-commands.jsonl");
  const told = parsed.filter((each) => each.parsed.reason !== "").length;
  row("classified, with a reason", percent(told, all.length));
  const reading = parsed.filter(({ one }) => one.class === "read");
  const others = parsed.filter(({ one }) => one.class !== "read");
  const count = (list: typeof parsed, is: Parsed["class"]) =>
    list.filter((each) => each.parsed.class === is).length;
  row("class read: read_only", percent(count(reading, "read_only"), reading.length));
  row(
    "class not read: refused or needs approval",
    percent(others.length - count(others, "read_only"), others.length),
  );
  console.log(
    `\n  ${"class by verb".padEnd(16)}${["operation", "read_only", "refused"].map((is) => is.padStart(11)).join("")}`,
  );
  for (const name of [...new Set(all.map((one) => one.class))].sort()) {
    const list = parsed.filter(({ one }) => one.class === name);
    const counts = (["operation", "read_only", "refused"] as const).map((is) => count(list, is));
    console.log(`  ${name.padEnd(16)}${counts.map((number) => `${number}`.padStart(11)).join("")}`);
  }
  if (!verbose) return;
  console.log("\n  disagreements");
  for (const { one, parsed: is } of parsed) {
    if ((one.class === "read") !== (is.class === "read_only")) describe(one, is, one.class);
  }
}

const OURS = /\b(kubectl|docker|systemctl|journalctl|ssh)\b/;

function safetyLines(folder: string, verbose: boolean): void {
  const all = linesOf<SafetyLine>(folder, "command-safety.jsonl").filter((one) => OURS.test(one.command));
  const bad = all.filter((one) => one.label === "refuse" || one.label === "not_read_only");
  const good = all.filter((one) => one.label === "allow" || one.label === "allow(read-only)");
  console.log(
    `\ncommand-safety.jsonl: ${all.length} lines name kubectl, docker, systemctl, journalctl or ssh`,
  );
  for (const [name, guard] of GUARDS) {
    const stopped = bad.filter((one) => !guard(one.command));
    const lost = good.filter((one) => !guard(one.command));
    console.log(`  ${name}`);
    row("  dangerous ones refused or asked about", percent(stopped.length, bad.length));
    row("  read-only ones refused", percent(lost.length, good.length));
  }
  if (!verbose) return;
  console.log("\n  disagreements");
  for (const one of all) {
    const parsed = parseOperation(one.command);
    const wrong = bad.includes(one)
      ? parsed.class === "read_only"
      : good.includes(one) && parsed.class !== "read_only";
    if (wrong) describe(one, parsed, one.label);
  }
}

/** How the parser of operations and its guard judge commands that others wrote and labelled. */
export const operations: Measure = (folder, { verbose }) => {
  console.log("operations: the text parser and its guard");
  kubectlLines(folder, verbose);
  safetyLines(folder, verbose);
};
