import { type FlagTable, flagNames, flagTable } from "./flags.ts";
import { FILES, OUTPUT, SELECTORS } from "./kubectl-flags.ts";
import { type OperationCommand, operationCommands } from "./operation-commands.ts";

/** Global flags that change neither the identity nor the server, except `--context`, which names the cluster. */
const GLOBAL = `-n,--namespace= --context= --request-timeout= -v,--v= --vmodule= --log-flush-frequency=
  --match-server-version --warnings-as-errors --disable-compression -h,--help`;
/** Global flags that are always refused, by the reason. */
const REFUSED_BY_REASON: Readonly<Record<string, string>> = {
  "acts under another identity": `--as= --as-group= --as-uid= --token= --user= --username= --password=
    --client-certificate= --client-key=`,
  "connects to a server that is not configured, or does not verify it": `--kubeconfig= -s,--server=
    --cluster= --certificate-authority= --tls-server-name= --insecure-skip-tls-verify`,
  "reads or writes local files": `--cache-dir= --profile= --profile-output= --kuberc= --alsologtostderr
    --log-dir= --log-file=`,
};
export const REFUSED_GLOBAL_FLAGS: ReadonlyMap<string, string> = new Map(
  Object.entries(REFUSED_BY_REASON).flatMap(([reason, flags]) =>
    flagNames([flags]).map((name): [string, string] => [name, reason]),
  ),
);
const ALL_GLOBAL = [GLOBAL, ...Object.values(REFUSED_BY_REASON)];

/** Verbs that only read and are no operation, with their own flags besides the global ones. */
const READS: Readonly<Record<string, string>> = {
  top: "",
  events: `${OUTPUT} -A,--all-namespaces --chunk-size= --for= --no-headers --types= -w,--watch`,
  explain: "--api-version= -o,--output= --recursive",
  "api-resources": `--api-group= --cached --categories= --namespaced --no-headers -o,--output= --sort-by=
    --verbs= --show-kind`,
  "api-versions": "",
  version: "--client --short -o,--output=",
  "cluster-info": "",
  "cluster-info dump": `${OUTPUT} -A,--all-namespaces --namespaces= --pod-running-timeout=`,
  "auth can-i": "-A,--all-namespaces --list --no-headers -q,--quiet --subresource=",
  "auth whoami": OUTPUT,
  "rollout status": `${FILES} -l,--selector= --revision= --timeout= -w,--watch`,
  "rollout history": `${OUTPUT} ${FILES} -l,--selector= --revision=`,
  wait: `${OUTPUT} ${FILES} ${SELECTORS} --all --for= --timeout=`,
  "config view": `${OUTPUT} --flatten --merge --minify --raw`,
  "config current-context": "",
  "config get-contexts": "-o,--output= --no-headers",
  "config get-clusters": "",
  "config get-users": "",
  "apply view-last-applied": "-o,--output= -l,--selector= --all",
  "plugin list": "--name-only",
  help: "",
  options: "",
};

const CHANGING = "changes something and is not a typed operation";
const RUNNING = "runs a program or opens a connection, so that it can do anything";
const LOCAL = "changes or discloses the configuration of kubectl";
/** Known verbs that are refused, with the reason. A group (`create`) covers all its subcommands. */
export const REFUSED_VERBS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ...Object.fromEntries(
      `apply create edit replace label annotate taint expose autoscale certificate kustomize convert
    rolling-update run-container stop`
        .split(/\s+/)
        .map((verb) => [verb, CHANGING]),
    ),
    ...Object.fromEntries(
      "exec attach cp port-forward proxy debug run".split(" ").map((verb) => [verb, RUNNING]),
    ),
    ...Object.fromEntries(
      ["rollout pause", "rollout resume", "set env", "set selector", "set serviceaccount", "set subject"].map(
        (verb) => [verb, CHANGING],
      ),
    ),
    "auth reconcile": CHANGING,
    alpha: CHANGING,
    diff: "runs a program that an environment variable names, and sends the content of files",
    completion: "prints a script for a shell",
    config: LOCAL,
  }),
);

/** Groups, whose next word must be a subcommand. */
export const GROUPS: ReadonlySet<string> = new Set(["rollout", "set", "auth", "config", "plugin"]);

/** A verb, with every flag that kubectl has for it and the operations that it may mean. */
export type Verb = {
  changes: boolean;
  flags: FlagTable;
  operations: readonly OperationCommand<"kubectl">[];
};

export const GLOBAL_FLAGS: FlagTable = flagTable(...ALL_GLOBAL);
const verbWith = (flags: readonly string[], operations: Verb["operations"] = []): Verb => ({
  changes: operations.some(({ changes }) => changes),
  flags: flagTable(...ALL_GLOBAL, ...flags),
  operations,
});
/** Refuses a definition that would make an operation of a verb that can do anything, or a read of one that changes. */
function checkDefinition(verb: string, operations: Verb["operations"]): void {
  const refused = REFUSED_VERBS.get(verb) ?? REFUSED_VERBS.get(verb.split(" ")[0] ?? "");
  if (refused === undefined || (refused === CHANGING && operations.every(({ changes }) => changes))) return;
  throw new Error(`kubectl ${verb} ${refused}: no operation is read from it`);
}

export const VERBS: ReadonlyMap<string, Verb> = new Map([
  ...Object.entries(READS).map(([verb, own]): [string, Verb] => [verb, verbWith([own])]),
  ...[...operationCommands("kubectl")].map(([verb, operations]): [string, Verb] => {
    checkDefinition(verb, operations);
    const flags = operations.flatMap((one) => [one.flags, one.otherFlags ?? ""]);
    return [verb, verbWith(flags, operations)];
  }),
]);

/** Paths of the API server that show its health, versions and API lists, but no objects. */
export const HARMLESS_PATHS =
  /^\/(healthz|livez|readyz|version|openapi\/v[23]|apis?)(\/[a-z-]+)?\/?(\?verbose)?$/;
