import {
  candidatesText,
  type EvidenceItem,
  type Finding,
  type Investigation,
} from "../../contract/evidence.ts";
import type { OperationTarget } from "../../contract/incident.ts";
import { counted } from "../../lib/words.ts";
import { type Cell, formatTime, type Printer } from "../print.ts";

const STYLES = { cause: "red", symptom: "yellow", note: "dim" } as const;

function printFinding(out: Printer, one: Finding, evidence: readonly EvidenceItem[]): void {
  const head: Cell = { text: `${one.weight.toUpperCase()}  ${one.title}`, style: STYLES[one.weight] };
  out.line();
  out.line(head.text, head.style);
  out.line(`  ${one.meaning} [${one.code}]`);
  for (const { id, at, subject, text } of evidence.filter(({ id }) => one.evidence.includes(id))) {
    const [first = "", ...rest] = text.split("\n");
    out.line(`    ${id}  ${formatTime(at)}  ${subject}: ${first}`, "dim");
    if (rest.length > 0) out.block(rest.join("\n"), "          ");
  }
}

function commandFor(out: Printer, { kind, name, namespace, cluster, host }: OperationTarget): string {
  const place = { "-n": namespace, "--cluster": cluster, "--host": host };
  const options = Object.entries(place).flatMap(([flag, value]) =>
    value === undefined ? [] : [flag, value],
  );
  return out.awoooi("diagnose", `${kind}/${name}`, ...options);
}

function printCandidates(out: Printer, candidates: NonNullable<Investigation["candidates"]>): void {
  out.line(candidatesText(candidates) ?? "");
  for (const { target, reason } of candidates)
    out.line(
      `  ${[target.cluster, target.namespace, `${target.kind}/${target.name}`].filter(Boolean).join(" / ")}: ${reason}`,
    );
  out.line("To diagnose one of them:");
  for (const { target } of candidates) out.line(`  ${commandFor(out, target)}`);
}

/** Lines shown of evidence that no finding cites; `awoooi diagnose` shows all. */
const LINES = 12;

/** Prints evidence that no finding cites: it helps when no finding explains the trouble. */
function printRead(out: Printer, { evidence, findings }: Investigation, most: number): void {
  const cited = new Set(findings.flatMap((one) => one.evidence));
  const others = evidence.filter(({ id }) => !cited.has(id));
  if (others.length === 0) return;
  out.line();
  out.line("Read", "bold");
  for (const { id, at, subject, text } of others) {
    const lines = text.split("\n");
    const shown = lines.slice(0, most);
    if (lines.length === 1) {
      out.line(`  ${id}  ${formatTime(at)}  ${subject}: ${text}`);
      continue;
    }
    out.line(`  ${id}  ${formatTime(at)}  ${subject}`);
    out.block(shown.join("\n"), "      ");
    if (lines.length > shown.length) out.line(`      and ${lines.length - shown.length} more lines`, "dim");
  }
}

function printMissing(out: Printer, { missing }: Investigation): void {
  if (missing.length === 0) return;
  out.line();
  out.line(`Not read (${counted(missing.length, "thing")})`, "bold");
  for (const line of missing) out.line(`  ${line}`);
}

/** Prints everything that was read of a target, and the findings, causes first. */
export function printInvestigation(out: Printer, found: Investigation): void {
  const { target, evidence, findings, at, candidates = [] } = found;
  const where =
    target && [target.cluster, target.namespace, target.kind, target.name].filter(Boolean).join(" / ");
  out.line(`${where ?? "no target"}, seen at ${formatTime(at)}`, "bold");
  if (candidates.length > 0) printCandidates(out, candidates);
  else if (findings.length === 0) out.line("No finding explains a problem or shows the target healthy.");
  for (const one of findings) printFinding(out, one, evidence);
  printRead(out, found, Number.POSITIVE_INFINITY);
  printMissing(out, found);
}

/** Prints a short form of the investigation, for the story of an incident. */
export function printEvidence(out: Printer, found: Investigation): void {
  const { findings, evidence, missing, at } = found;
  if (findings.length + evidence.length + missing.length === 0) return;
  out.line();
  out.line(`Evidence, seen at ${formatTime(at)}`, "bold");
  for (const { weight, title, meaning, code, evidence: cited } of findings) {
    out.line(`${weight.toUpperCase()}  ${title}`, STYLES[weight]);
    out.line(`  ${meaning} [${code}; ${cited.join(", ")}]`);
  }
  printRead(out, found, LINES);
  printMissing(out, found);
}
