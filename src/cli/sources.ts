import type { Command } from "commander";
import { group, leaf, type Session } from "./command.ts";
import type { TestOptions } from "./sources-test.ts";

export function addSources(program: Command, session: Session): void {
  const sources = group(program, "sources", "where alerts come from");
  leaf(sources, "test", "show the alerts that a body comes to, without a server", [
    "awoooi sources test --source alertmanager --file body.json",
    "awoooi sources test --source custom:shop --file - --json < body.json",
  ])
    .requiredOption("--source <name>", "who would send it: alertmanager, generic, pagerduty, custom:NAME, …")
    .requiredOption("--file <file>", "the body of one call, as JSON; - is stdin")
    .option("--config <file>", "the settings, with intake.custom (default: awoooi.yaml, when there is one)")
    .addHelpText("after", "\nEnds with 1 when something of it would be a dead letter.")
    // The stages behind it take most of a second to load, which no other command should wait for.
    .action(async (options: TestOptions) => {
      const { runSourceTest } = await import("./sources-test.ts");
      await runSourceTest(session, options);
    });
}
