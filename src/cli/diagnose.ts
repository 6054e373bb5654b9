import type { Command } from "commander";
import { type DiagnosisQuery, diagnosisQuery, investigation } from "../contract/evidence.ts";
import { AwoooiError } from "../lib/error.ts";
import { urlPath } from "../lib/url-path.ts";
import { read, request } from "./client.ts";
import { leaf, type Session } from "./command.ts";
import { printInvestigation } from "./investigation-view.ts";

type Options = {
  json?: boolean;
  namespace?: string;
  cluster?: string;
  host?: string;
  mountpoint?: string;
  device?: string;
};

// As kubectl has them.
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
  ingress: "ingress",
  ingresses: "ingress",
};

function targetOf(text: string, { namespace, cluster, host, mountpoint, device }: Options): DiagnosisQuery {
  const [, kind, name] = /^(?:([A-Za-z]+)\/)?([^/]+)$/.exec(text) ?? [];
  const word = kind?.toLowerCase() ?? "unknown";
  const singular = word.length > 4 ? word.replace(/s$/, "") : word;
  const parsed = diagnosisQuery.safeParse({
    kind: SHORT[word] ?? singular,
    name,
    namespace,
    cluster,
    host,
    mountpoint,
    device,
  });
  if (parsed.success) return parsed.data;
  throw new AwoooiError("invalid", `${text} is no target: give KIND/NAME, as deployment/api.`);
}

async function diagnose(session: Session, text: string, options: Options): Promise<void> {
  const query = targetOf(text, options);
  const answer = await request(session.server(), "GET", urlPath`/diagnosis`, { query });
  if (options.json) return session.out.json(answer.text);
  printInvestigation(session.out, read(investigation, answer));
}

export function addDiagnose(program: Command, session: Session): void {
  const summary = "say what is wrong with a target, from facts read of it now";
  leaf(program, "diagnose", summary, [
    "awoooi diagnose deployment/api -n prod",
    "awoooi diagnose node/worker-1 --cluster backup",
    "awoooi diagnose api -n prod --json",
  ])
    .argument("<target>", "KIND/NAME, or a NAME alone: of a workload or service, or as their labels have it")
    .option("-n, --namespace <namespace>", "of what is in one (default: whichever has it)")
    .option("--cluster <cluster>", "the cluster (default: whichever has it)")
    .option("--host <host>", "the host that it is on")
    .option("--mountpoint <path>", "of a host: a path whose filesystem is looked at, whatever its kind")
    .option("--device <device>", "the same by its device, as /dev/sda1")
    .addHelpText(
      "after",
      "\nReads only. The codes in brackets are in docs/reference/findings.md; rules may name them.",
    )
    .action((target: string, options: Options) => diagnose(session, target, options));
}
