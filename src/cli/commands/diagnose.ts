import type { Command } from "commander";
import {
  CLUSTER_KINDS,
  type DiagnosisQuery,
  diagnosisQuery,
  HOST_KINDS,
  type Investigation,
  investigation,
} from "../../contract/evidence.ts";
import { AwoooiError, ERRORS } from "../../lib/error.ts";
import { urlPath } from "../../lib/url-path.ts";
import { plural } from "../../lib/words.ts";
import { parseAnswer, request } from "../client.ts";
import { addSubcommand, type Session } from "../command.ts";
import { printInvestigation } from "../views/investigation-view.ts";

type Options = {
  json?: boolean;
  namespace?: string;
  cluster?: string;
  host?: string;
  mountpoint?: string;
  device?: string;
};

// Short names as in kubectl.
const SHORT: Record<string, string> = {
  deploy: "deployment",
  sts: "statefulset",
  ds: "daemonset",
  rs: "replicaset",
  po: "pod",
  no: "node",
  svc: "service",
  cj: "cronjob",
  pvc: "persistentvolumeclaim",
  pv: "persistentvolume",
  hpa: "horizontalpodautoscaler",
  ing: "ingress",
  proc: "process",
};

const KINDS = ["process", "host", "unknown", ...CLUSTER_KINDS, ...HOST_KINDS];
const KIND_OF = new Map([
  ...KINDS.map((kind) => [plural(kind), kind] as const),
  ...Object.entries(SHORT),
  ...KINDS.map((kind) => [kind, kind] as const),
]);

function targetOf(text: string, { namespace, cluster, host, mountpoint, device }: Options): DiagnosisQuery {
  const [, kind, name] = /^(?:([A-Za-z]+)\/)?([^/]+)$/.exec(text) ?? [];
  const word = kind?.toLowerCase() ?? "unknown";
  const parsed = diagnosisQuery.safeParse({
    kind: KIND_OF.get(word) ?? word,
    name,
    namespace,
    cluster,
    host,
    mountpoint,
    device,
  });
  if (parsed.success) return parsed.data;
  const flag = parsed.error.issues.find(({ path }) => path[0] !== "kind" && path[0] !== "name");
  if (flag !== undefined) throw new AwoooiError("invalid", `--${flag.path.join(".")} ${flag.message}.`);
  throw new AwoooiError("invalid", `${text} is not a target: give KIND/NAME, such as deployment/api.`);
}

// Findings that say that the host could not be read at all.
const NOT_REACHED = ["host_unreachable", "host_refuses_login", "host_key_unknown", "host_key_changed"];

/** Returns the exit code: 0 when the target was read, whatever was found. */
function exitOf({ evidence, findings, missing, candidates = [] }: Investigation): number {
  if (candidates.length > 0) return ERRORS.conflict.exit;
  const nothing = evidence.length === 0 && findings.length === 0 && missing.length > 0;
  return nothing || findings.some(({ code }) => NOT_REACHED.includes(code)) ? ERRORS.unavailable.exit : 0;
}

async function diagnose(session: Session, text: string, options: Options): Promise<void> {
  const query = targetOf(text, options);
  const answer = await request(session.server(), "GET", urlPath`/diagnosis`, { query });
  const found = parseAnswer(investigation, answer);
  session.exit(exitOf(found));
  if (options.json) return session.out.json(answer.text);
  printInvestigation(session.out, found);
}

export function addDiagnose(program: Command, session: Session): void {
  const summary = "diagnose a target from facts read from it now";
  addSubcommand(program, "diagnose", summary, [
    "awoooi diagnose deployment/api -n prod",
    "awoooi diagnose node/worker-1 --cluster backup",
    "awoooi diagnose shop",
    "awoooi diagnose api -n prod --json",
  ])
    .argument(
      "<target>",
      "KIND/NAME, or only the NAME of a configured process or host, a workload or a service",
    )
    .option("-n, --namespace <namespace>", "its namespace (default: any with that name)")
    .option("--cluster <cluster>", "its cluster (default: any with that name)")
    .option("--host <host>", "the target's host")
    .option("--mountpoint <path>", "of a host: inspect this path's filesystem, of any type")
    .option("--device <device>", "the same by device, such as /dev/sda1")
    .addHelpText(
      "after",
      "\nReads only. The codes in brackets are in docs/reference/findings.md; rules may name them.\nExit codes: 0 inspected, 4 not found, 5 several targets have this name, 6 not reachable.",
    )
    .action((target: string, options: Options) => diagnose(session, target, options));
}
