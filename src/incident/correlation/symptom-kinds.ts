/** Classifies the kind of trouble that an alert reports, by words common in alerts. */
import { textOf } from "./names.ts";
import type { Symptom } from "./types.ts";

/**
 * How near to a cause this kind of alert is: `rank` is higher for what breaks a machine or a workload than for what its
 * callers notice. `starved`: it gets no work, because its callers are broken. `apart`: a standing condition, neither cause
 * nor effect of concurrent trouble unless a text says so.
 */
export type SymptomKind = { name: string; rank: number; role: "cause" | "effect" | "starved" | "apart" };

/** Reported by workload monitoring, whatever broke the workload. */
export const NOT_READY = "not ready";

const SYMPTOM_KINDS: readonly (readonly [RegExp, SymptomKind])[] = [
  [/\bexpir(es|ing|y|ation)\b(?!.*\bexpired\b)/, { name: "expires", rank: 1, role: "apart" }],
  [/\bbackups?\b|\bsnapshots?\b/, { name: "backup", rank: 1, role: "apart" }],
  [/\bthrottl/, { name: "throttled", rank: 1, role: "apart" }],
  [
    /\bdeprecat|\bover ?commit|\bversion (mismatch|skew)|\bclock (skew|drift)/,
    { name: "standing", rank: 0, role: "apart" },
  ],
  [
    /\b(no|zero|absent|missing|0)\s+(\w+\s+)?(requests?|traffic|calls|operations|messages|events)\b|\b(requests?|traffic|operations)\s+(absent|missing|dropp?ed|drop)\b/,
    { name: "gets no work", rank: 1, role: "starved" },
  ],
  [
    /\bnode\s+(is\s+)?(not\s*ready|unreachable|down|unhealthy)|\b(kernel|hardware|host|machine)\s+(panic|fault|failure|down|error)/,
    { name: "node lost", rank: 9, role: "cause" },
  ],
  [
    /\b(disk|memory|pid)\s+pressure|\b(disk|filesystem|file system|volume|storage|persistent volume)\b.*\b(full|space|fill|filling|usage|exhausted|out|read.?only)|\bout of (disk|space|inodes)|\bno space left/,
    { name: "disk or volume", rank: 8, role: "cause" },
  ],
  [/\boom\b|\bout of memory|\boom\s*kill/, { name: "out of memory", rank: 7, role: "cause" }],
  [/\bcrash|\bback ?off|\brestart(s|ing|ed)?\b|\bpanic/, { name: "crash", rank: 7, role: "cause" }],
  [
    /\b(image|err image|invalid image)\s*pull|\bcontainer waiting|\binvalid image/,
    { name: "image", rank: 7, role: "cause" },
  ],
  [
    /\bquota|\bunschedul|\bevict|\bpending\b|\bfailed mount|\bmis\s?config|\bbad config|\bconfig\w*\s+(error|invalid|fail\w*|reload\w*)|\bcertificate|\bcert\b|\btls\b/,
    { name: "configuration", rank: 7, role: "cause" },
  ],
  [
    /\bpods?\s+(is\s+|are\s+)?not\s*ready|\breplicas?\s+(mismatch|unavailable)|\brollout\s+(stuck|failed)|\b(deployment|statefulset|daemonset)\s+(replicas|not|stuck|failed)/,
    { name: NOT_READY, rank: 6, role: "cause" },
  ],
  [
    /\breplication\b|\bdeadlock|\btoo many connections|\bconnections?\s+(exhausted|limit|saturat\w+)|\bprimary\s+(lost|down)|\bcorrupt/,
    { name: "database", rank: 6, role: "cause" },
  ],
  [
    /\berror\s*(rate|ratio|budget|s)\b|\berrors?\b|\b5xx\b|\b50\d\b|\bfailure rate|\bsuccess (rate|ratio)/,
    { name: "errors", rank: 2, role: "effect" },
  ],
  [
    /\blatency|\bslow|\bresponse time|\bduration\b|\bp9\d\b|\bapdex/,
    { name: "latency", rank: 2, role: "effect" },
  ],
  [/\bslo\b|\bburn|\bavailability\b/, { name: "objective missed", rank: 0, role: "effect" }],
  [
    /\btime ?outs?\b|\btimed out|\bunavailable|\bprobe fail|\bunreachable|\bhealth ?check|\bdependency|\bupstream|\bcircuit/,
    { name: "unavailable", rank: 2, role: "effect" },
  ],
  [/\bdown\b|\babsent\b|\bmissing\b/, { name: "down", rank: 4, role: "effect" }],
  [/\bcpu\b|\bmemory\b|\bsaturat|\bload\b|\bqueue\b|\blag\b/, { name: "saturation", rank: 5, role: "cause" }],
];

export const isKnown = (kind: SymptomKind): boolean => kind !== UNKNOWN;

const UNKNOWN: SymptomKind = { name: "trouble", rank: 3, role: "effect" };

const wordsOf = (name: string) =>
  name
    .slice(0, 300)
    .replace(/([a-z\d])([A-Z])/g, "$1 $2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2")
    .replace(/[^A-Za-z\d]+/g, " ")
    .toLowerCase();

/** Returns the kind by the alert's name, or by its text where no pattern matches the name. */
export function symptomKindOf(symptom: Pick<Symptom, "alert_name" | "annotations">): SymptomKind {
  for (const words of [wordsOf(symptom.alert_name), textOf(symptom.annotations).toLowerCase()]) {
    const found = SYMPTOM_KINDS.find(([pattern]) => pattern.test(words));
    if (found !== undefined) return found[1];
  }
  return UNKNOWN;
}
