import { type FlagTable, flagTable } from "./flags.ts";

/** Global flags that change neither the identity nor the server, except `--context`, which names the cluster. */
const GLOBAL = `-n,--namespace= --context= --request-timeout= -v,--v= --vmodule= --log-flush-frequency=
  --match-server-version --warnings-as-errors --disable-compression -h,--help`;
/** Global flags that are always refused, with the reason. */
export const REFUSED_GLOBAL: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ...Object.fromEntries(
      "--as --as-group --as-uid --token --user --username --password --client-certificate --client-key"
        .split(" ")
        .map((name) => [name, "acts as somebody else"]),
    ),
    ...Object.fromEntries(
      "--kubeconfig --server --cluster --certificate-authority --tls-server-name --insecure-skip-tls-verify"
        .split(" ")
        .map((name) => [name, "goes to a server that is not configured, or does not check which it is"]),
    ),
    ...Object.fromEntries(
      "--cache-dir --profile --profile-output --kuberc --alsologtostderr --log-dir --log-file"
        .split(" ")
        .map((name) => [name, "writes or reads files of its own"]),
    ),
  }),
);
const GUARDED = `--as= --as-group= --as-uid= --token= --user= --username= --password= --client-certificate=
  --client-key= --kubeconfig= -s,--server= --cluster= --certificate-authority= --tls-server-name=
  --insecure-skip-tls-verify --cache-dir= --profile= --profile-output= --kuberc= --alsologtostderr
  --log-dir= --log-file=`;

const OUTPUT = "-o,--output= --template= --allow-missing-template-keys --show-managed-fields";
const FILES = "-f,--filename= -k,--kustomize= -R,--recursive";
const PICK = "-l,--selector= --field-selector= -A,--all-namespaces";
const DRY = "--dry-run=?";

/** Verbs that only read, with their own flags besides the global ones. */
const READS: Readonly<Record<string, string>> = {
  get: `${OUTPUT} ${FILES} ${PICK} --chunk-size= --ignore-not-found -L,--label-columns= --no-headers
    --output-watch-events --raw= --server-print --show-kind --show-labels --sort-by= --subresource=
    -w,--watch --watch-only --export`,
  describe: `${FILES} ${PICK} --chunk-size= --show-events`,
  logs: `-l,--selector= --all-containers --all-pods -c,--container= -f,--follow --ignore-errors --limit-bytes=
    --max-log-requests= --pod-running-timeout= --prefix -p,--previous --since= --since-time= --tail=
    --timestamps`,
  "top pod": `${PICK} --containers --no-headers --sort-by= --sum --use-protocol-buffers`,
  "top node": `-l,--selector= --no-headers --show-capacity --sort-by= --use-protocol-buffers`,
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
  wait: `${OUTPUT} ${FILES} ${PICK} --all --for= --timeout=`,
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

/** Verbs that change something and are typed operations, with their own flags. */
const CHANGES: Readonly<Record<string, string>> = {
  "rollout restart": `${OUTPUT} ${FILES} -l,--selector= --field-manager=`,
  "rollout undo": `${OUTPUT} ${FILES} -l,--selector= ${DRY} --to-revision=`,
  scale: `${OUTPUT} ${FILES} -l,--selector= ${DRY} --all --current-replicas= --replicas= --resource-version=
    --timeout=`,
  delete: `${FILES} ${PICK} ${DRY} -o,--output= --all --cascade=? --force --grace-period= --ignore-not-found
    -i,--interactive --now --raw= --timeout= --wait`,
  cordon: `-l,--selector= ${DRY}`,
  uncordon: `-l,--selector= ${DRY}`,
  drain: `-l,--selector= ${DRY} --chunk-size= --delete-emptydir-data --delete-local-data --disable-eviction
    --force --grace-period= --ignore-daemonsets --pod-selector= --skip-wait-for-delete-timeout= --timeout=`,
  "set image": `${OUTPUT} ${FILES} -l,--selector= ${DRY} --all --field-manager= --local`,
  "set resources": `${OUTPUT} ${FILES} -l,--selector= ${DRY} --all --field-manager= --local -c,--containers=
    --limits= --requests=`,
  patch: `${OUTPUT} ${FILES} ${DRY} --field-manager= --local -p,--patch= --patch-file= --subresource= --type=`,
};

const CHANGING = "changes things and is no typed operation";
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
    diff: "runs a program that the environment names, and sends what files hold",
    completion: "prints a script for a shell",
    config: LOCAL,
  }),
);

/** Groups, whose next word must be a subcommand. */
export const GROUPS: ReadonlySet<string> = new Set(["rollout", "set", "auth", "config", "plugin"]);

export type Verb = { changes: boolean; flags: FlagTable };

export const LEADING: FlagTable = flagTable(GLOBAL, GUARDED);
export const VERBS: ReadonlyMap<string, Verb> = new Map([
  ...Object.entries(READS).map(([verb, own]): [string, Verb] => [
    verb,
    { changes: false, flags: flagTable(GLOBAL, GUARDED, own) },
  ]),
  ...Object.entries(CHANGES).map(([verb, own]): [string, Verb] => [
    verb,
    { changes: true, flags: flagTable(GLOBAL, GUARDED, own) },
  ]),
]);

/** Paths of the API server that show its health, versions and API lists, but no objects. */
export const HARMLESS_PATHS =
  /^\/(healthz|livez|readyz|version|openapi\/v[23]|apis?)(\/[a-z-]+)?\/?(\?verbose)?$/;
