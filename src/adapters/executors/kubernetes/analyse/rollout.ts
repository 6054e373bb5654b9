import { counted } from "../../../../lib/words.ts";
import type { FindingCode } from "./codes.ts";
import type { Analyser, Draft, Fact, Facts, Revision } from "./facts.ts";
import { isReady, nameOf, secondsSince } from "./pods.ts";
import { type Aspect, type Change, templateChanges } from "./template-diff.ts";
import { ago, oneLine } from "./text.ts";
import { countOf, podsOf, readyOf } from "./workload.ts";

const DAY_SECONDS = 86_400;

/** What a revision must have changed to be a possible cause of the finding; no entry: any change. */
const NEEDS: Partial<Record<FindingCode, readonly Aspect[]>> = {
  image_not_found: ["image"],
  image_denied: ["image"],
  image_name_invalid: ["image"],
  image_pull_failed: ["image"],
  unschedulable: ["resources", "placement"],
  volume_mount_failed: ["placement"],
  limit_range_violated: ["resources"],
};

// Findings that a change of the pod template can cause; those of nodes, networks and quotas are not among them.
const BY_TEMPLATE: readonly FindingCode[] = [
  "image_not_found",
  "image_denied",
  "image_name_invalid",
  "image_pull_failed",
  "config_map_missing",
  "secret_missing",
  "config_key_missing",
  "container_config_invalid",
  "out_of_memory",
  "limit_range_violated",
  "admission_refused",
  "service_account_missing",
  "volume_mount_failed",
  "unschedulable",
  "init_container_waiting",
  "liveness_probe_failing",
  "startup_probe_failing",
  "crash_loop",
  "readiness_probe_failing",
];
// These prevent pods from being created, so they have no pods to compare.
const WITHOUT_PODS: readonly FindingCode[] = [
  "admission_refused",
  "limit_range_violated",
  "service_account_missing",
];

type Step = { newest: Revision; before: Revision; changes: Change[]; serving: number };

/** Returns the last rollout: the newest revision, the one before, the changes and the old one's ready pods. */
function lastStep(facts: Facts): Step | undefined {
  const [newest, ...older] = facts.revisions;
  if (newest === undefined || older.length === 0) return undefined;
  const before = older.find((one) => readyOf(facts, one) > 0) ?? (older[0] as Revision);
  const changes = templateChanges(before.template, newest.template);
  return { newest, before, changes, serving: readyOf(facts, before) };
}

function blames(facts: Facts, { newest, before, changes, serving }: Step, draft: Draft): boolean {
  if (!BY_TEMPLATE.includes(draft.code)) return false;
  const needed = NEEDS[draft.code];
  if (!changes.some(({ aspect }) => needed === undefined || needed.includes(aspect))) return false;
  // A day after the rollout, with no pod of the old revision left, the cause is something else.
  if (serving === 0 && secondsSince(newest.since, facts.now) > DAY_SECONDS) return false;
  if (WITHOUT_PODS.includes(draft.code)) return serving > 0;
  const [young, old] = [newest, before].map((one) => new Set(podsOf(facts, one).map(nameOf)));
  const pods = draft.pods ?? [];
  return pods.some((name) => young?.has(name)) && !pods.some((name) => old?.has(name));
}

function changedText(changes: readonly Change[]): string {
  const more = changes.length > 3 ? `; and ${changes.length - 3} more` : "";
  return `${changes
    .slice(0, 3)
    .map(({ text }) => text)
    .join("; ")}${more}`;
}

function revisionFact(facts: Facts, one: Revision, more: string): Fact {
  const pods = podsOf(facts, one);
  const text = `revision ${one.number} (${one.name}): ${pods.filter(isReady).length} of ${counted(pods.length, "pod")} ready${more}`;
  const { workload, target } = facts;
  const [kind, name] =
    workload === null ? [target.kind, target.name] : [workload.kind, nameOf(workload.object)];
  return {
    subject: `${kind}/${name}`,
    text: oneLine(text, 600),
    at: one.since ?? undefined,
  };
}

/** Finds a newest revision that causes some of `drafts`, the other findings, when there is one to roll back to. */
export function badRollout(facts: Facts, drafts: readonly Draft[]): Draft[] {
  const step = lastStep(facts);
  if (step === undefined) return [];
  const blamed = drafts.filter((draft) => blames(facts, step, draft));
  const [first] = blamed;
  if (first === undefined) return [];
  const { newest, before, changes, serving } = step;
  const since = newest.since === null ? "" : ` ${ago(newest.since, facts.now)} ago`;
  const still =
    serving > 0
      ? `${counted(serving, "pod")} of revision ${before.number} still ${serving === 1 ? "serves" : "serve"}`
      : `no pod of revision ${before.number} is left`;
  return [
    {
      code: "bad_rollout",
      title: `Revision ${newest.number}, rolled out${since}, does not work: ${changedText(changes)}`,
      meaning: `Its pods fail (${[...new Set(blamed.map(({ code }) => code))].join(", ")}) and those of revision ${before.number} did not; ${still}. Rolling back reverts the change.`,
      facts: [
        revisionFact(facts, newest, `; changed: ${changes.map(({ text }) => text).join("; ")}`),
        revisionFact(facts, before, ""),
        ...blamed.map(({ facts: [fact] }) => fact),
      ],
      ...(first.pods === undefined ? {} : { pods: first.pods }),
    },
  ];
}

/** Finds whether a change was rolled out within the last day, which may be the cause of a problem. */
export const rolloutAge: Analyser = (facts) => {
  const { revisions, now, workload } = facts;
  const [newest] = revisions;
  if (newest === undefined || newest.since === null || workload === null) return [];
  const step = lastStep(facts);
  const age = ago(newest.since, now);
  const recent = secondsSince(newest.since, now) <= DAY_SECONDS;
  if (recent && step !== undefined && step.changes.length > 0)
    return [
      {
        code: "recent_rollout",
        title: `Revision ${newest.number} was rolled out ${age} ago: ${changedText(step.changes)}`,
        meaning: `A fault that began then may come from it; a rollback to revision ${step.before.number} is possible.`,
        facts: [revisionFact(facts, newest, `; changed: ${step.changes.map(({ text }) => text).join("; ")}`)],
      },
    ];
  return [
    {
      code: "no_recent_rollout",
      title: unchanged(newest, step, age, recent),
      meaning: "A rollback to an older revision would not undo any recent change.",
      facts: [revisionFact(facts, newest, "")],
    },
  ];
};

function unchanged({ number }: Revision, step: Step | undefined, age: string, recent: boolean): string {
  if (step === undefined)
    return `Revision ${number}, ${age} old, is the only one: there is none to roll back to`;
  if (recent)
    return `Revision ${number}, rolled out ${age} ago, changed nothing: its pods were only restarted`;
  return `No change was rolled out within a day: revision ${number} is ${age} old`;
}

function progress({ workload }: Facts) {
  if (workload?.kind !== "deployment") return undefined;
  return workload.object.status?.conditions?.find(({ type }) => type === "Progressing");
}

/** Finds a rollout that exceeded its progress deadline or is paused, and a workload that is scaled to zero. */
export const rollout: Analyser = (facts) => {
  const { workload, now } = facts;
  if (workload === null) return [];
  const subject = `${workload.kind}/${nameOf(workload.object)}`;
  const { desired, updated } = countOf(workload);
  const drafts: Draft[] = [];
  const condition = progress(facts);
  if (condition?.reason === "ProgressDeadlineExceeded")
    drafts.push({
      code: "rollout_stalled",
      title: `The rollout has stalled: ${updated} of ${counted(desired, "replica")} ${updated === 1 ? "is" : "are"} of the newest revision`,
      meaning: "The newest revision's pods did not become ready within the progress deadline.",
      facts: [
        {
          subject,
          text: `condition Progressing: ${oneLine(condition.message ?? "")}`,
          at: condition.lastUpdateTime,
        },
      ],
    });
  if (workload.kind === "deployment" && workload.object.spec?.paused === true)
    drafts.push({
      code: "rollout_paused",
      title: "Its rollout is paused",
      meaning:
        "Changes of the pod template wait until it is resumed, and it cannot be rolled back while it is paused.",
      facts: [{ subject, text: "spec.paused is true" }],
    });
  if (workload.kind !== "daemonset" && workload.object.spec?.replicas === 0)
    drafts.push({
      code: "scaled_to_zero",
      title: "It is scaled to zero: no pod is meant to run",
      meaning: "A person or an autoscaler scaled it down; scale it up if it should serve.",
      facts: [{ subject, text: `spec.replicas is 0 (seen at ${now.toISOString().slice(11, 19)}Z)` }],
    });
  return drafts;
};
