import type { Context } from "./context.ts";
import {
  COMMANDS,
  COMPOSE,
  COMPOSE_FILES,
  type DockerVerb,
  ENDLESS,
  GLOBAL,
  GROUPS,
  OTHER_DAEMON,
  REFUSED,
} from "./docker-table.ts";
import { Flags, flagNames, readFlags, readLeadingFlags } from "./flags.ts";
import { matchingOperation } from "./operation-commands.ts";
import { excerpt, refuse } from "./refused.ts";
import type { DockerCommand } from "./tool-command.ts";
import { checkUnknownOperands, checkUnknownValues } from "./unknown-words.ts";
import { readOnlyVerdict, type Verdict } from "./verdict.ts";
import { requireKnown, unknownIn, type Word } from "./word.ts";

function refuseCommand(name: string): never {
  const reason = REFUSED.get(name.split(" ").at(-1) ?? "");
  return reason === undefined
    ? refuse(`${excerpt(`docker ${name}`)} is not a known command`)
    : refuse(`docker ${name} ${reason}`);
}

/** Returns the command that the words begin with (`ps`, `container ls`, `compose restart`), and the words after it. */
function commandOf(words: readonly Word[]): {
  name: string;
  command: DockerVerb;
  compose: Flags;
  behind: readonly Word[];
} {
  const first = words[0];
  if (first === undefined) refuse("docker has no command");
  const one = requireKnown(first, "the command of docker");
  let behind = words.slice(1);
  let compose = new Flags([]);
  let name = one;
  if (GROUPS.has(one)) {
    if (one === "compose") {
      const read = readLeadingFlags(behind, COMPOSE, "docker compose");
      checkUnknownValues(read, false, "docker compose");
      compose = new Flags(read.flags);
      behind = behind.slice(read.next);
    }
    const second = behind[0];
    if (second === undefined) refuse(`docker ${one} has no command`);
    name = `${one} ${requireKnown(second, `the command of docker ${one}`)}`;
    behind = behind.slice(1);
  }
  const command = COMMANDS.get(name);
  return command === undefined ? refuseCommand(name) : { name, command, compose, behind };
}

/** Refuses flags that none of the operations has a field for. */
function checkFlags({ verb, flags, compose }: DockerCommand, operations: DockerVerb["operations"]): void {
  const what = `of docker ${verb}`;
  flags.only(flagNames(operations.map((one) => one.flags)), what);
  const composeFlags = operations.flatMap((one) => one.composeFlags ?? []);
  compose.only([...composeFlags, "--dry-run", "--ansi", "--progress"], what);
}

function parseDockerChange(command: DockerCommand, operations: DockerVerb["operations"]): Verdict {
  const { verb, flags, compose } = command;
  if (flags.has("--volumes")) refuse("--volumes deletes the data on volumes");
  checkFlags(command, operations);
  const verdict = matchingOperation(operations, command, (one) => checkFlags(command, [one]));
  if (verdict === null) refuse(`docker ${verb} is not a typed operation`);
  return compose.on("--dry-run")
    ? readOnlyVerdict(`tries docker ${verb} and changes nothing (--dry-run)`)
    : verdict;
}

function parseDockerRead({ verb: name, flags, compose, operands }: DockerCommand): Verdict {
  const follows = flags.has("--follow") && flags.on("--follow");
  const ends = flags.has("--no-stream") || flags.has("--until");
  if (follows || (ENDLESS.has(name) && !ends))
    return readOnlyVerdict("reads, and goes on until it is stopped");
  const unknown = unknownIn([...operands, ...flags.words, ...compose.words]);
  return unknown === null
    ? readOnlyVerdict(`docker ${name} only reads`)
    : readOnlyVerdict(`only reads, whatever ${excerpt(unknown)} stands for`);
}

/** Parses a command of docker or docker compose. */
export function parseDocker(words: readonly Word[], context: Context): Verdict {
  const leading = readLeadingFlags(words, GLOBAL, "docker");
  checkUnknownValues(leading, false, "docker");
  const other = leading.flags.find(({ name }) => OTHER_DAEMON.has(name));
  if (other !== undefined) refuse(`${other.name} points docker to another daemon or other credentials`);
  if (leading.next >= words.length && leading.flags.some(({ name }) => name === "--version")) {
    return readOnlyVerdict("docker --version only reads");
  }
  const { name, command, compose, behind } = commandOf(words.slice(leading.next));
  const file = compose.names.find((flag) => COMPOSE_FILES.has(flag));
  if (file !== undefined) refuse(`${file} of docker compose takes the configuration from a file`);
  const read = readFlags(behind, command.flags, `docker ${name}`);
  // buildx has a flag that starts a builder (--bootstrap); no other command here has a harmful flag.
  checkUnknownOperands(read.operands, name.startsWith("buildx ") ? "harm" : "redirect", `docker ${name}`);
  checkUnknownValues(read, true, `docker ${name}`);
  const operands = [...read.operands, ...(read.rest ?? [])];
  const flags = new Flags(read.flags);
  const found: DockerCommand = { tool: "docker", verb: name, flags, compose, operands, context };
  return command.operations.length > 0
    ? parseDockerChange(found, command.operations)
    : parseDockerRead(found);
}
