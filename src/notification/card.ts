import { getApproval } from "../approval/index.ts";
import { candidatesText, type Investigation, saysWell } from "../contract/evidence.ts";
import type { Ctx } from "../db/ctx.ts";
import { latestDecisions } from "../decision/index.ts";
import { getExecution, type StopTerms, whatStopsAll } from "../execution/index.ts";
import { getIncident, type IncidentRow, shownEffects, shownLinks } from "../incident/index.ts";
import { evidenceOf } from "../investigation/index.ts";
import { clip } from "../lib/clip.ts";
import { AwoooiError } from "../lib/error.ts";
import { blastRadiusInWords, inWords, stepsOf } from "../operation/index.ts";
import type { Delivery } from "../outbox/index.ts";
import type { Card } from "./types.ts";

const HEADLINES: Record<Card["topic"], string> = {
  "incident.opened": "New incident",
  "incident.raised": "Severity rose",
  "incident.diagnosed": "Diagnosed",
  "incident.reopened": "Reopened",
  "incident.reminder": "Still firing",
  "incident.resolved": "Resolved",
  "incident.flapping": "Flapping",
  "incident.merged": "Merged",
  "incident.released": "Split off",
  "approval.pending": "Approval needed",
  "approval.automatic": "Automatic repair",
  "approval.rejected": "Rejected",
  "approval.expired": "Not executed",
  "execution.started": "Executing",
  "execution.finished": "Result",
  "execution.frozen": "Changes are frozen",
  "execution.unfrozen": "Changes are allowed again",
  "pipeline.progress": "Pipeline",
};

const DECIDED = new Set<Card["topic"]>([
  "incident.opened",
  "incident.reopened",
  "incident.reminder",
  "incident.diagnosed",
]);
// Notices that ask people to look also name the incident's effects.
const WITH_EFFECTS = new Set<Card["topic"]>([...DECIDED, "incident.raised", "approval.pending"]);
// Notices that people judge by also show evidence.
const WITH_EVIDENCE = new Set<Card["topic"]>([...DECIDED, "approval.pending"]);
// Most effects that a card names, and most lines of a diff.
const NAMED = 5;
const CHANGES = 20;

const text = (value: unknown) => (typeof value === "string" ? value : "");

/** Returns the commands to stop or undo a plan that runs by itself: its card asks for no signature. */
const howToStop = (approval_id: string, incident_id: string) => [
  `To stop it: awoooi approvals reject ${approval_id} --reason TEXT`,
  `To undo it, last step first: awoooi executions ls --incident ${incident_id}, then awoooi executions undo ID`,
];

async function approvalPart(
  ctx: Ctx,
  approval_id: string,
  gateway: StopTerms | undefined,
): Promise<Pick<Card, "approval" | "lines">> {
  const approval = await getApproval(ctx, approval_id);
  const { incident_id, plan, plan_hash, status, action, dry_run_checks, diff, blast_radius } = approval;
  const { required_signatures, risk_level } = plan;
  const checks = dry_run_checks.map(
    ({ passed, name, message }) => `${passed ? "✓" : "✗"} ${name}: ${message}`,
  );
  const changed = diff === null ? [] : diff.split("\n");
  const more = changed.length - CHANGES;
  const changes = [...changed.slice(0, CHANGES), ...(more > 0 ? [`and ${more} more changes`] : [])];
  const steps = stepsOf(plan);
  const each = steps.length === 1 ? [] : steps.map((one, at) => `${at + 1}. ${inWords(one)}`);
  const byItself = plan.authority === "policy";
  const asked = byItself ? "allowed by policy" : `${required_signatures} to sign`;
  const stopped =
    status === "pending" && gateway !== undefined ? await whatStopsAll(ctx, gateway) : undefined;
  const signable = status === "pending" ? { approval_id, plan_hash, required_signatures } : null;
  return {
    approval: signable,
    lines: [
      `${action} (${risk_level} risk, ${asked})`,
      ...(stopped === undefined ? [] : [`Blocked: ${stopped.message}`]),
      `Blast radius: ${blastRadiusInWords(blast_radius, steps)}`,
      ...each,
      ...checks,
      ...changes,
      ...(byItself ? howToStop(approval_id, incident_id) : []),
    ],
  };
}

async function executionPart(ctx: Ctx, execution_id: string): Promise<string[]> {
  const { status, caller, step, output, error, verification, undo, undone_by } = await getExecution(
    ctx,
    execution_id,
  );
  const verified = verification === null ? [] : [`Verified: ${verification.result}, ${verification.reason}`];
  return [
    `Execution ${status}${step > 1 ? ` at step ${step}` : ""}${caller === "auto_repair" ? ", automatic" : ""}`,
    ...(output === null ? [] : [output]),
    ...(error === null ? [] : [error]),
    ...verified,
    ...((status === "failed" || caller === "auto_repair") && undo?.ok && undone_by === null
      ? [`To undo it (${inWords(undo.operation)}): awoooi executions undo ${execution_id}`]
      : []),
  ];
}

// Most findings on a card, and most characters of the first fact.
const FOUND = 5;
const READ = 300;

/** Returns the findings, those that say the target is well first, then causes; without findings, the first fact, cut. */
function evidencePart({ findings, evidence, candidates }: Investigation): string[] {
  const open = candidatesText(candidates);
  if (open !== undefined) return [open];
  const told = [...findings.filter(saysWell), ...findings.filter((one) => !saysWell(one))];
  if (told.length > 0) return told.slice(0, FOUND).map(({ title }) => title);
  const [first] = evidence;
  return first === undefined
    ? []
    : [clip(`${first.subject}: ${first.text.replace(/\s*\n\s*/g, "; ")}`, READ)];
}

async function decisionPart(ctx: Ctx, { incident_id, notification_type }: IncidentRow): Promise<string[]> {
  if (notification_type === "TYPE-1") return ["Information: no action is needed"];
  const decision = (await latestDecisions(ctx, [incident_id])).get(incident_id);
  return decision === undefined ? [] : [`${decision.proposal.action}: ${decision.policy.reason}`];
}

/** Returns lines on an incident's effects, and on why it is probably their cause where that is known. */
async function effectsPart(ctx: Ctx, incident_id: string): Promise<string[]> {
  const effects = await shownEffects(ctx, [incident_id], NAMED);
  const [first] = effects;
  if (first === undefined) return [];
  const related = await shownLinks(ctx, [incident_id], NAMED);
  const cause = related.find((one) => one.cause_id === incident_id && one.strength === "merge");
  const more = first.count - effects.length;
  return [
    ...(cause?.cause_reason == null ? [] : [`Probably the cause: ${cause.cause_reason}`]),
    `${first.count === 1 ? "Effect" : `${first.count} effects`}: ` +
      effects.map((one) => `${one.title} (${one.incident_id})`).join("; ") +
      (more > 0 ? ` and ${more} more` : ""),
  ];
}

function base(delivery: Delivery, incident: IncidentRow): Card {
  const { topic, seq, created_at } = delivery;
  return {
    id: `notice-${seq}`,
    topic,
    incident_id: incident.incident_id,
    severity: incident.severity,
    title: `${HEADLINES[topic]}: ${incident.title}`,
    lines: [],
    approval: null,
    at: created_at.toISOString(),
  };
}

const PROGRESS = [
  ["stage", "stage"],
  ["commit", "commit"],
  ["triggered_by", "by"],
] as const;

/** Returns the card of a CI pipeline's progress, from the notice's payload alone. */
function progressCard({ topic, seq, created_at, payload }: Delivery): Card {
  const said = PROGRESS.flatMap(([key, word]) => (payload[key] ? `${word} ${text(payload[key])}` : []));
  return {
    id: `notice-${seq}`,
    topic,
    incident_id: null,
    severity: "P3",
    title: [`${HEADLINES[topic]} ${text(payload.status)}: ${text(payload.name)}`, ...said].join(" · "),
    lines: [text(payload.summary), text(payload.workflow_url)].filter(Boolean),
    approval: null,
    at: created_at.toISOString(),
  };
}

/** Returns the card of a freeze or its lifting: by whom and why. */
function freezeCard({ topic, seq, created_at, payload }: Delivery): Card {
  const { by, why, until } = payload;
  const end = until === null ? ["Until it is lifted: awoooi unfreeze"] : [`Until ${text(until)}`];
  const frozen = topic === "execution.frozen";
  return {
    id: `notice-${seq}`,
    topic,
    incident_id: null,
    severity: "P2",
    title: `${HEADLINES[topic]} by ${text(by)}`,
    lines: [`${frozen ? "Why" : "Was frozen for"}: ${text(why)}`, ...(frozen ? end : [])],
    approval: null,
    at: created_at.toISOString(),
  };
}

/** Builds the card of a notice from the current state. Returns null when what it is about no longer exists. */
export async function cardOf(ctx: Ctx, delivery: Delivery, gateway?: StopTerms): Promise<Card | null> {
  if (delivery.incident_id === null)
    return delivery.topic === "pipeline.progress" ? progressCard(delivery) : freezeCard(delivery);
  try {
    const incident = await getIncident(ctx, delivery.incident_id);
    const card = base(delivery, incident);
    const { approval_id, execution_id, reason } = delivery.payload;
    const part = approval_id === undefined ? null : await approvalPart(ctx, text(approval_id), gateway);
    const result = execution_id === undefined ? [] : await executionPart(ctx, text(execution_id));
    const why = reason === undefined ? [] : [text(reason)];
    const decided = DECIDED.has(delivery.topic) ? await decisionPart(ctx, incident) : [];
    const effects = WITH_EFFECTS.has(delivery.topic) ? await effectsPart(ctx, incident.incident_id) : [];
    const seen = WITH_EVIDENCE.has(delivery.topic) ? await evidenceOf(ctx, incident.incident_id) : null;
    const read = seen === null ? [] : evidencePart(seen);
    const lines = [...read, ...decided, ...why, ...effects, ...(part?.lines ?? []), ...result];
    return { ...card, approval: part?.approval ?? null, lines };
  } catch (error) {
    if (error instanceof AwoooiError && error.code === "not_found") return null;
    throw error;
  }
}
