import type { Command } from "commander";
import type { MoveReport } from "../../contract/move.ts";
import { AwoooiError } from "../../lib/error.ts";
import { type Session, withExamples } from "../command.ts";
import { bytes } from "./storage.ts";

type Options = { config?: string; json?: boolean };

const NEEDED = ["people", "incidents", "approvals", "audit_entries", "workflow_status"];

function printReport(session: Session, report: MoveReport, verb: string): void {
  // With `-`, stdout is the export itself.
  const to = verb === "Exported" && report.file === "-" ? session.err : session.out;
  const { rows, tables, file, bytes: size, served, ledger } = report;
  const name = file === "-" ? "" : ` ${verb === "Exported" ? "to" : "from"} ${file}`;
  to.line(
    `${verb} ${rows} rows of ${Object.keys(tables).length} tables${name}${size === null ? "" : ` (${bytes(size)})`}.`,
  );
  const shown = Object.entries(tables).filter(([table]) => NEEDED.includes(table.split(".")[1] ?? ""));
  for (const [table, count] of shown) to.line(`  ${table.split(".")[1]?.replaceAll("_", " ")}: ${count}`);
  if (served)
    to.line(
      "The server is running: later changes are not exported. To migrate, stop the server first.",
      "yellow",
    );
  if (ledger?.broken_at === null) to.line(`The ledger is intact: ${ledger.entries} entries.`, "green");
  else if (ledger !== null)
    to.line(`The ledger is broken at entry ${ledger.broken_at}, as it was: ${ledger.reason}.`, "red");
}

async function moveFile(
  session: Session,
  name: "export" | "import",
  path: string,
  { config, json }: Options,
): Promise<void> {
  const move = session.io[name];
  if (move === undefined) throw new Error("there is no database here");
  const report = await move({ file: path, ...(config === undefined ? {} : { config }) });
  if (!json) return printReport(session, report, name === "export" ? "Exported" : "Imported");
  (name === "export" && path === "-" ? session.err : session.out).json(JSON.stringify(report));
}

function command(
  program: Command,
  spec: {
    name: "export" | "import";
    summary: string;
    file: string;
    examples: readonly string[];
    run: (path: string, options: Options) => Promise<void>;
  },
): Command {
  const { name, summary, file, examples, run } = spec;
  const one = program.command(name).description(summary).argument("<file>", file);
  one
    .option("--config <file>", "the settings file (default: awoooi.yaml if it exists)")
    .option("--json", "print the report as JSON")
    .action(run);
  return withExamples(one, examples);
}

type ImportOptions = Options & { output?: string };

/** Imports an export, or converts Alertmanager's configuration, depending on the file's name and content. */
async function importFile(session: Session, path: string, options: ImportOptions): Promise<void> {
  const { isAlertmanagers, importAlertmanager } = await import("./alertmanager/command.ts");
  if (path !== "-" && (await isAlertmanagers(path))) return importAlertmanager(session, path, options);
  if (options.output !== undefined)
    throw new AwoooiError("invalid", "--output is only for converting Alertmanager's configuration.");
  return moveFile(session, "import", path, options);
}

export function addMove(program: Command, session: Session): void {
  command(program, {
    name: "export",
    summary: "export the whole installation to a file, server running or not",
    file: "the file to write, or - for standard output",
    run: (path, options) => moveFile(session, "export", path, options),
    examples: ["awoooi export awoooi-2026-07-01.export.gz", "awoooi export - | ssh backup 'cat > awoooi.gz'"],
  });
  command(program, {
    name: "import",
    summary: "import an export into an empty database; or convert an alertmanager.yml into settings",
    run: (path, options: ImportOptions) => importFile(session, path, options),
    file: "the export, or - for standard input; or Alertmanager's configuration",
    examples: [
      "awoooi import awoooi-2026-07-01.export.gz",
      "DATABASE_URL=postgresql://awoooi@db/awoooi awoooi import awoooi-2026-07-01.export.gz",
      "awoooi import /etc/alertmanager/alertmanager.yml --output from-alertmanager.yaml",
    ],
  }).option("--output <file>", "for an alertmanager.yml: the file to write, not standard output");
}
