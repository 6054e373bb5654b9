import type { Command } from "commander";
import { MAX_TEXT, OPERATION_KINDS, parseOperation, traitsOf } from "../../operation/index.ts";
import { addGroup, addSubcommand, type Session, withExamples } from "../command.ts";
import { lines } from "../io.ts";

// A longer line is cut to bound memory; it is refused for its length anyway.
const MAX_LINE = 8 * MAX_TEXT;
// Characters that JSON does not escape but that mislead terminals or line readers: C1 controls, line and text marks.
const DECEPTIVE = /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

const escaped = (json: string) =>
  json.replace(DECEPTIVE, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** Prints one JSON line for every line of stdin, whatever it contains. */
async function parse({ io }: Session): Promise<void> {
  for await (const input of lines(io.stdin, MAX_LINE)) {
    const { class: is, operation, approval, reason } = parseOperation(input);
    io.stdout(`${escaped(JSON.stringify({ input, class: is, operation, approval, reason }))}\n`);
    if (io.drained !== undefined && !(await io.drained())) return;
  }
}

function ls({ out }: Session, { json }: { json?: boolean }): void {
  const items = OPERATION_KINDS.map((kind) => ({ kind, ...traitsOf({ kind }) }));
  if (json) {
    out.json(JSON.stringify({ items }));
    return;
  }
  const yesNo = (value: boolean) => (value ? "yes" : "no");
  out.table(
    ["OPERATION", "TOOL", "SCOPE", "RISK", "IDEMPOTENT", "DATA", "UNDO"],
    items.map(({ kind, tool, scope, risk, idempotent, data_impact, undo }) => [
      kind,
      tool,
      scope,
      risk,
      yesNo(idempotent),
      data_impact,
      undo ?? "-",
    ]),
  );
}

export function addOperations(program: Command, session: Session): void {
  const operations = addGroup(program, "operations", "the typed operations; needs no server");
  const command = operations
    .command("parse")
    .description("parse command lines on stdin: one JSON line with the operation for each")
    .option("--json", "the default: one JSON object per line")
    .addHelpText(
      "after",
      "\nClasses: operation (changes something, needs an approval), read_only, refused. Nothing is ever run.",
    )
    .action(() => parse(session));
  withExamples(command, [
    "echo 'kubectl rollout restart deployment/api -n prod' | awoooi operations parse",
    "awoooi operations parse < runbook-commands.txt | jq -r 'select(.class == \"refused\") | .reason'",
  ]);
  addSubcommand(operations, "ls", "list every operation, with its risk and its tool", [
    "awoooi operations ls",
    "awoooi operations ls --json",
  ]).action((options: { json?: boolean }) => ls(session, options));
}
