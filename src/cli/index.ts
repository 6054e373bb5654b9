import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { z } from "zod";
import { serverOf } from "./client.ts";
import { type Session, withExamples } from "./command.ts";
import { addAlerts } from "./commands/alerts.ts";
import { addApprovals } from "./commands/approvals.ts";
import { addAudit } from "./commands/audit.ts";
import { addConfig } from "./commands/config.ts";
import { addCorrelation } from "./commands/correlation.ts";
import { addDeadLetters } from "./commands/dead-letters.ts";
import { addDiagnose } from "./commands/diagnose.ts";
import { addExecutions } from "./commands/executions.ts";
import { addFreeze } from "./commands/freeze.ts";
import { addHeartbeats } from "./commands/heartbeats.ts";
import { addIncidents } from "./commands/incidents.ts";
import { addMove } from "./commands/move.ts";
import { addOperations } from "./commands/operations.ts";
import { addPlaybooks } from "./commands/playbooks.ts";
import { addProcesses } from "./commands/processes.ts";
import { addRules } from "./commands/rules.ts";
import { addSilences } from "./commands/silences.ts";
import { addSources } from "./commands/sources.ts";
import { addStorage } from "./commands/storage.ts";
import { addTokens } from "./commands/tokens.ts";
import { addTools } from "./commands/tools.ts";
import { printFailure } from "./failure.ts";
import type { CliIo } from "./io.ts";
import { printer, shellWord } from "./print.ts";

export type { CliIo } from "./io.ts";
export { programWords } from "./program.ts";

const ENVIRONMENT = `
Environment:
  AWOOOI_URL            the server (default: http://127.0.0.1:8000)
  AWOOOI_TOKEN          your token, or AWOOOI_TOKEN_FILE: the file that holds it

Exit codes: 0 done, 1 failed, 2 wrong input, 3 not allowed, 4 not found, 5 conflict, 6 unavailable`;

const manifest = z.object({ version: z.string() });

/** Reads the version from package.json, which is in the parent folder of both `src` and `dist`. */
function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return manifest.parse(JSON.parse(text)).version;
}

function addServe(program: Command, session: Session): void {
  const command = program.command("serve").description("run the server, in the foreground");
  command
    .option("--config <file>", "the settings file (default: awoooi.yaml if it exists)")
    .action(async (options: { config?: string }) => {
      const { serve } = session.io;
      if (serve === undefined) throw new Error("there is no server to run here");
      session.exit(await serve(options));
    });
  withExamples(command, ["awoooi serve", "awoooi serve --config /etc/awoooi/awoooi.yaml"]);
}

/** Returns how to start this program for the same server: with the options that named it. */
function startedBy({ program = "awoooi" }: CliIo, { url, tokenFile }: { url?: string; tokenFile?: string }) {
  const options = [...(url ? ["--url", url] : []), ...(tokenFile ? ["--token-file", tokenFile] : [])];
  return [program, ...options.map(shellWord)].join(" ");
}

function programOf(io: CliIo, exit: (code: number) => void): Command {
  const program = new Command(io.program ?? "awoooi");
  const typed = () => startedBy(io, program.opts());
  const session: Session = {
    io,
    out: printer(io.stdout, io, typed),
    err: printer(io.stderr, io, typed),
    server: () => serverOf(program.opts(), io.env),
    exit,
  };
  program
    .description("Incident responder: from alert to approved and verified repair.")
    .exitOverride()
    // Errors are printed in one place, `tellFailure`.
    .configureOutput({ writeOut: io.stdout, writeErr: io.stderr, outputError: () => {} })
    .configureHelp({ showGlobalOptions: true })
    .option("--url <url>", "the server (environment: AWOOOI_URL)")
    .option("--token-file <file>", "the file that holds your token (environment: AWOOOI_TOKEN_FILE)")
    .addHelpText("after", ENVIRONMENT);
  program.version(version(), "--version", "print the version");
  addServe(program, session);
  for (const add of [
    addIncidents,
    addDiagnose,
    addApprovals,
    addAlerts,
    addSilences,
    addFreeze,
    addCorrelation,
    addDeadLetters,
    addExecutions,
    addPlaybooks,
    addHeartbeats,
    addProcesses,
    addTokens,
    addRules,
    addSources,
    addOperations,
    addTools,
    addAudit,
    addConfig,
    addStorage,
    addMove,
  ])
    add(program, session);
  return program;
}

/**
 * Runs one command line, given without the program's name, and resolves to its exit code: 0, one that the command
 * sets, or the `exit` of the error in `lib/error.ts`. Results go to stdout, everything else to stderr.
 */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  let code = 0;
  const program = programOf(io, (chosen) => {
    code = chosen;
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    // Commander also throws after --help and --version; a group without a subcommand prints its help on stderr.
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (error instanceof CommanderError && error.code === "commander.help") return 2;
    return printFailure(printer(io.stderr, io), error, argv.includes("--json"));
  }
}
