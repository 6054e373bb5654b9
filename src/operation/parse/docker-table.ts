import { type FlagTable, flagTable } from "./flags.ts";
import { type OperationCommand, operationCommands } from "./operation-commands.ts";

/** Global flags of docker; those in `OTHER_DAEMON`, which choose another daemon or credentials, are refused. */
export const GLOBAL: FlagTable = flagTable(
  "-D,--debug -l,--log-level= -v,--version --help -H,--host= -c,--context= --config=",
  "--tls --tlscacert= --tlscert= --tlskey= --tlsverify",
);
export const OTHER_DAEMON: ReadonlySet<string> = new Set(
  "--host --context --config --tls --tlscacert --tlscert --tlskey --tlsverify".split(" "),
);

const LIST = "-f,--filter= --format= --no-trunc -q,--quiet";
const INSPECT = "-f,--format=";
const PS = `-a,--all ${LIST} -n,--last= -l,--latest -s,--size`;
const IMAGES = `-a,--all --digests ${LIST} --tree`;
const LOGS = "--details -f,--follow --since= --until= -n,--tail= -t,--timestamps";
const STATS = "-a,--all --format= --no-stream --no-trunc";
const HISTORY = "--format= -H,--human --no-trunc --platform= -q,--quiet";
const EVENTS = "-f,--filter= --format= --since= --until=";

/** Commands of docker that only read, with their flags. Some have two names, such as `ps` and `container ls`. */
const READS: Readonly<Record<string, string>> = {
  ps: PS,
  "container ls": PS,
  "container list": PS,
  "container ps": PS,
  logs: LOGS,
  "container logs": LOGS,
  stats: STATS,
  "container stats": STATS,
  // The flags after the container are those of ps.
  top: "-e -f -A -a -x -o=",
  "container top": "-e -f -A -a -x -o=",
  port: "",
  "container port": "",
  diff: "",
  "container diff": "",
  inspect: "-f,--format= -s,--size --type=",
  "container inspect": "-f,--format= -s,--size",
  images: IMAGES,
  "image ls": IMAGES,
  "image list": IMAGES,
  "image inspect": `${INSPECT} --platform=`,
  history: HISTORY,
  "image history": HISTORY,
  info: INSPECT,
  "system info": INSPECT,
  version: INSPECT,
  events: EVENTS,
  "system events": EVENTS,
  "system df": "--format= -v,--verbose",
  search: "-f,--filter= --format= --limit= --no-trunc --automated -s,--stars=",
  "network ls": LIST,
  "network list": LIST,
  "network inspect": `${INSPECT} -v,--verbose`,
  "volume ls": `${LIST} --cluster`,
  "volume list": `${LIST} --cluster`,
  "volume inspect": INSPECT,
  "plugin ls": LIST,
  "plugin list": LIST,
  "plugin inspect": INSPECT,
  "node ls": LIST,
  "node list": LIST,
  "node ps": `${LIST} --no-resolve`,
  "node inspect": `${INSPECT} --pretty`,
  "service ls": LIST,
  "service list": LIST,
  "service ps": `${LIST} --no-resolve`,
  "service inspect": `${INSPECT} --pretty`,
  "service logs": `${LOGS} --no-resolve --no-task-ids --no-trunc --raw`,
  "stack ls": LIST,
  "stack list": LIST,
  "stack ps": `${LIST} --no-resolve`,
  "stack services": LIST,
  // Safe: the content of a secret never leaves the swarm, these show names and times.
  "secret ls": LIST,
  "secret list": LIST,
  "secret inspect": `${INSPECT} --pretty`,
  "config ls": LIST,
  "config list": LIST,
  "config inspect": `${INSPECT} --pretty`,
  "context ls": LIST,
  "context list": LIST,
  "context show": "",
  "context inspect": INSPECT,
  "manifest inspect": "--insecure -v,--verbose",
  "trust inspect": "--pretty",
  "checkpoint ls": "--checkpoint-dir=",
  help: "",
  "buildx inspect": "",
  "buildx ls": "--format= --no-trunc",
  "buildx version": "",
  "buildx du": "--filter= --format= --verbose",
  "compose ls": LIST.replace("--no-trunc", "-a,--all"),
  "compose ps": `-a,--all --filter= --format= --no-trunc --orphans -q,--quiet --services --status=`,
  "compose logs": `${LOGS} --index= --no-color --no-log-prefix`,
  "compose top": "",
  "compose images": "--format= -q,--quiet",
  "compose port": "--index= --protocol=",
  "compose version": "-f,--format= --short",
  "compose events": "--json --since= --until=",
  "compose stats": STATS,
  "compose volumes": "--format= -q,--quiet",
};

/** Commands that run until stopped; other commands do so only with a flag such as `--follow`. */
export const ENDLESS: ReadonlySet<string> = new Set(
  "stats|container stats|events|system events|compose events|compose stats".split("|"),
);

/** Groups, whose next word is a subcommand. */
export const GROUPS: ReadonlySet<string> = new Set(
  `builder buildx checkpoint compose config container context image manifest network node plugin secret
  service stack swarm system trust volume`.split(/\s+/),
);

/** Flags of compose itself. Those in `COMPOSE_FILES` are refused: the content of the files is not known. */
export const COMPOSE: FlagTable = flagTable(
  "-p,--project-name= --profile= --compatibility --dry-run --ansi= --progress= --parallel= --all-resources",
  "-f,--file= --project-directory= --env-file=",
);
export const COMPOSE_FILES: ReadonlySet<string> = new Set(["--file", "--project-directory", "--env-file"]);

const CHANGING = "changes something and is not a typed operation";
const RUNNING = "runs a program or opens a session, so that it can do anything";
const verbs = (text: string, reason: string): [string, string][] =>
  text.split(/\s+/).map((verb) => [verb, reason]);
/** Reasons for refusing known commands, by their last word; any other command is refused as unknown. */
export const REFUSED: ReadonlyMap<string, string> = new Map([
  ...verbs(
    `build pull push create start stop kill pause unpause rename rm rmi remove tag commit import load update
    prune connect disconnect enable disable set upgrade install scale rollback deploy init join leave promote
    demote sign revoke restore use up down ca annotate add bake reload`,
    CHANGING,
  ),
  ...verbs("run exec attach cp", RUNNING),
  ...verbs("save export", "copies the content of containers or images"),
  ...verbs("login logout unlock unlock-key join-token", "handles credentials"),
  ...verbs("wait", "waits until a container ends, which may be never"),
]);

/** A command, with every flag that docker has for it and the operations that it may mean; none: it only reads. */
export type DockerVerb = { flags: FlagTable; operations: readonly OperationCommand<"docker">[] };

/** Refuses a definition that would make an operation of a command that can do anything, or a read of one that changes. */
function checkDefinition(verb: string, operations: DockerVerb["operations"]): void {
  const refused = REFUSED.get(verb.split(" ").at(-1) ?? "");
  const isChange = refused === CHANGING || refused === undefined;
  if (READS[verb] === undefined && isChange && operations.every(({ changes }) => changes)) return;
  throw new Error(`docker ${verb} ${refused ?? "only reads"}: no change is read from it`);
}

export const COMMANDS: ReadonlyMap<string, DockerVerb> = new Map([
  ...Object.entries(READS).map(([verb, own]): [string, DockerVerb] => [
    verb,
    { flags: flagTable(own, "--help"), operations: [] },
  ]),
  ...[...operationCommands("docker")].map(([verb, operations]): [string, DockerVerb] => {
    checkDefinition(verb, operations);
    const flags = operations.flatMap((one) => [one.flags, one.otherFlags ?? ""]);
    return [verb, { flags: flagTable(...flags, "--help"), operations }];
  }),
]);
