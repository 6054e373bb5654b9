import type { Command } from "commander";
import { configStatus, reloaded } from "../../contract/system.ts";
import { AwoooiError } from "../../lib/error.ts";
import { urlPath } from "../../lib/url-path.ts";
import { counted } from "../../lib/words.ts";
import { parseAnswer, request } from "../client.ts";
import { addGroup, addSubcommand, type Session } from "../command.ts";
import type { CliIo, LocalConfig } from "../io.ts";
import { formatTime } from "../print.ts";

type Options = { json?: boolean; config?: string };

async function localConfig({ io }: Session): Promise<LocalConfig> {
  if (io.config === undefined)
    throw new Error("this program has no server whose configuration it could read");
  return io.config();
}

const optionsOf = (io: CliIo, { config }: Options) => ({ file: config, env: io.env });

/** Takes the file from the argument or from --config; throws `invalid` when they differ. */
function chosen(file: string | undefined, options: Options): Options {
  const { config = file } = options;
  if (file === undefined || config === file)
    return { ...options, ...(config === undefined ? {} : { config }) };
  throw new AwoooiError("invalid", `Two files are named, ${file} and ${config}: give one.`);
}

async function check(session: Session, options: Options): Promise<void> {
  const { checkConfig } = await localConfig(session);
  const report = checkConfig(optionsOf(session.io, options));
  const { file, errors, warnings } = report;
  if (errors.length > 0) session.exit(2);
  if (options.json) return session.out.json(JSON.stringify(report));
  for (const { path, message } of errors)
    session.out.line(session.out.asTyped(`error    ${path}: ${message}`), "red");
  for (const { path, message } of warnings)
    session.out.line(session.out.asTyped(`warning  ${path}: ${message}`), "yellow");
  const what = file ?? "The environment and the defaults (there is no awoooi.yaml in this folder)";
  session.out.line(`${what}: ${counted(errors.length, "error")}, ${counted(warnings.length, "warning")}`);
}

async function show(session: Session, options: Options): Promise<void> {
  const { showConfig } = await localConfig(session);
  const shown = showConfig(optionsOf(session.io, options));
  if (options.json) return session.out.json(JSON.stringify(shown));
  const rows = shown.settings.map(({ path, value, written = value, source }) => [
    path,
    typeof written === "string" ? written : JSON.stringify(written ?? null),
    source,
  ]);
  session.out.table(["SETTING", "VALUE", "FROM"], rows);
  session.out.line(`hash ${shown.hash}`, "dim");
}

async function reload(session: Session, options: Options): Promise<void> {
  const answer = await request(session.server(), "POST", urlPath`/config/reload`);
  if (options.json) return session.out.json(answer.text);
  const { hash, changed, notes } = parseAnswer(reloaded, answer);
  session.out.line(
    changed.length === 0 ? "Nothing has changed." : `Reloaded; changed: ${changed.join(", ")}.`,
  );
  for (const note of notes) session.out.line(note, "yellow");
  session.out.line(`hash ${hash}`, "dim");
}

async function status(session: Session, options: Options): Promise<void> {
  const answer = await request(session.server(), "GET", urlPath`/config`);
  if (options.json) return session.out.json(answer.text);
  const { hash, loaded_at } = parseAnswer(configStatus, answer);
  session.out.line(`hash ${hash}, in force since ${formatTime(loaded_at)}`);
}

export function addConfig(program: Command, session: Session): void {
  const config = addGroup(program, "config", "check and show settings; reload them");
  const file = ["--config <file>", "the same as FILE"] as const;
  const argument = [
    "[file]",
    "the settings file (default: AWOOOI_CONFIG, else ./awoooi.yaml if it exists)",
  ] as const;
  addSubcommand(config, "check", "print every error and warning, without starting anything", [
    "awoooi config check",
    "awoooi config check /etc/awoooi/awoooi.yaml",
  ])
    .argument(...argument)
    .option(...file)
    .addHelpText("after", "\nExit code 2 when the server would not start with it.")
    .action((name: string | undefined, options: Options) => check(session, chosen(name, options)));
  addSubcommand(config, "show", "print every effective setting and its source; no secrets", [
    "awoooi config show",
    "awoooi config show --json | jq -r .hash",
  ])
    .argument(...argument)
    .option(...file)
    .action((name: string | undefined, options: Options) => show(session, chosen(name, options)));
  addSubcommand(config, "schema", "print the JSON Schema of awoooi.yaml, for editors", [
    "awoooi config schema > awoooi.schema.json",
  ]).action(async () => {
    const { configJsonSchema } = await localConfig(session);
    session.out.json(JSON.stringify(configJsonSchema(), null, 2));
  });
  addSubcommand(
    config,
    "reference",
    "print every setting with its default and description, as an awoooi.yaml",
    ["awoooi config reference | less"],
  ).action(async () => {
    const { configReference } = await localConfig(session);
    session.out.block(configReference().trimEnd(), "");
  });
  addSubcommand(config, "status", "show which configuration the server uses", [
    "awoooi config status",
  ]).action((options: Options) => status(session, options));
  addSubcommand(config, "reload", "reload the server's configuration, all of it or nothing", [
    "awoooi config reload",
  ]).action((options: Options) => reload(session, options));
}
