import type { Context } from "./context.ts";
import {
  COMMANDS,
  COMPOSE,
  COMPOSE_FILES,
  type DockerCommand,
  ENDLESS,
  GLOBAL,
  GROUPS,
  OTHER_DAEMON,
  REFUSED,
} from "./docker-table.ts";
import { Flags, readFlags, readLeadingFlags } from "./flags.ts";
import { hostOf, oneName } from "./host-target.ts";
import { guardOperands, guardValues } from "./loose.ts";
import { refuse, shown } from "./refused.ts";
import { change, reads, type Verdict } from "./verdict.ts";
import { known, unknownIn, type Word } from "./word.ts";

type Docker = { name: string; flags: Flags; compose: Flags; operands: readonly Word[]; context: Context };

function tell(name: string): never {
  const reason = REFUSED.get(name.split(" ").at(-1) ?? "");
  return reason === undefined
    ? refuse(`${shown(`docker ${name}`)} is not a command that is known here`)
    : refuse(`docker ${name} ${reason}`);
}

/** Returns the command that the words begin with (`ps`, `container ls`, `compose restart`), and the words after it. */
function commandOf(words: readonly Word[]): {
  name: string;
  command: DockerCommand;
  compose: Flags;
  behind: readonly Word[];
} {
  const first = words[0];
  if (first === undefined) refuse("docker has no command");
  const one = known(first, "the command of docker");
  let behind = words.slice(1);
  let compose = new Flags([]);
  let name = one;
  if (GROUPS.has(one)) {
    if (one === "compose") {
      const read = readLeadingFlags(behind, COMPOSE, "docker compose");
      guardValues(read, false, "docker compose");
      compose = new Flags(read.flags);
      behind = behind.slice(read.next);
    }
    const second = behind[0];
    if (second === undefined) refuse(`docker ${one} has no command`);
    name = `${one} ${known(second, `the command of docker ${one}`)}`;
    behind = behind.slice(1);
  }
  const command = COMMANDS.get(name);
  return command === undefined ? tell(name) : { name, command, compose, behind };
}

function restart(docker: Docker, kind: "container" | "compose_service"): Verdict {
  const { name, flags, compose, operands, context } = docker;
  flags.only([], `of docker ${name}`);
  compose.only(["--project-name", "--dry-run", "--ansi", "--progress"], `of docker ${name}`);
  const project = compose.value("--project-name");
  const target = { kind, name: oneName(operands, kind, `docker ${name}`, context), host: hostOf(context) };
  return kind === "container"
    ? change({ kind: "host.docker_restart", target, parameters: {} }, "restarts a container")
    : change(
        {
          kind: "host.docker_compose_restart",
          target,
          parameters: project === undefined ? {} : { project },
        },
        "restarts a service of docker compose",
      );
}

function prune({ name, flags, operands, context }: Docker): Verdict {
  if (flags.has("--volumes")) refuse("--volumes deletes what is on volumes");
  flags.only(["--force", "--all"], `of docker ${name}`);
  if (operands[0] !== undefined) refuse(`${shown(operands[0].text)}: docker ${name} takes no names`);
  const what = name === "prune" ? "system" : name.split(" ")[0];
  return change(
    {
      kind: "host.docker_prune",
      target: { kind: "host", name: hostOf(context) },
      parameters: { what, all_images: flags.on("--all") },
    },
    "removes what docker does not use",
  );
}

function changeOf(docker: Docker): Verdict {
  const { name, compose } = docker;
  const verdict = name.endsWith("prune")
    ? prune(docker)
    : restart(docker, name === "compose restart" ? "compose_service" : "container");
  return compose.on("--dry-run") ? reads(`tries docker ${name} and changes nothing (--dry-run)`) : verdict;
}

function readOf({ name, flags, compose, operands }: Docker): Verdict {
  const follows = flags.has("--follow") && flags.on("--follow");
  const ends = flags.has("--no-stream") || flags.has("--until");
  if (follows || (ENDLESS.has(name) && !ends)) return reads("reads, and goes on until it is stopped");
  const unknown = unknownIn([...operands, ...flags.words, ...compose.words]);
  return unknown === null
    ? reads(`docker ${name} only reads`)
    : reads(`only reads, whatever ${shown(unknown)} stands for`);
}

/** Parses a command of docker or docker compose. */
export function docker(words: readonly Word[], context: Context): Verdict {
  const leading = readLeadingFlags(words, GLOBAL, "docker");
  guardValues(leading, false, "docker");
  const other = leading.flags.find(({ name }) => OTHER_DAEMON.has(name));
  if (other !== undefined) refuse(`${other.name} leads docker to another daemon or other credentials`);
  if (leading.next >= words.length && leading.flags.some(({ name }) => name === "--version")) {
    return reads("docker --version only reads");
  }
  const { name, command, compose, behind } = commandOf(words.slice(leading.next));
  const file = compose.names.find((flag) => COMPOSE_FILES.has(flag));
  if (file !== undefined) refuse(`${file} of docker compose acts by what a file holds`);
  const read = readFlags(behind, command.flags, `docker ${name}`);
  // buildx has a flag that starts a builder (--bootstrap); no other command here has a harmful flag.
  guardOperands(read.operands, name.startsWith("buildx ") ? "harm" : "lead", `docker ${name}`);
  guardValues(read, true, `docker ${name}`);
  const operands = [...read.operands, ...(read.rest ?? [])];
  const flags = new Flags(read.flags);
  const found: Docker = { name, flags, compose, operands, context };
  return command.changes ? changeOf(found) : readOf(found);
}
