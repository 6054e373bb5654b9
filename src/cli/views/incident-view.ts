import type { Approval } from "../../contract/approval.ts";
import type { Decision } from "../../contract/decision.ts";
import { candidatesText, type Investigation } from "../../contract/evidence.ts";
import type { Execution } from "../../contract/execution.ts";
import type { Incident, TimelineEvent } from "../../contract/incident.ts";
import { actorText, type Cell, formatTime, type Printer } from "../print.ts";
import { howToDecide, operationText, printPlan } from "./approval-view.ts";
import { printEvidence } from "./investigation-view.ts";

/** An incident with everything that belongs to it. */
export type IncidentStory = {
  incident: Incident;
  decision: Decision | null;
  /** The latest evidence about its target; null: there is none. */
  evidence?: Investigation | null | undefined;
  /** Newest first, as are the executions. */
  approvals: Approval[];
  executions: Execution[];
  /** Oldest first. */
  timeline: TimelineEvent[];
};

/** Formats a severity as a table cell. */
export function severityCell(severity: Incident["severity"]): Cell {
  return severity === "P0" || severity === "P1" ? { text: severity, style: "red" } : severity;
}

type StatusAndActivity = Pick<Incident, "status" | "activity">;

const styleOf = ({ status }: StatusAndActivity) =>
  (["resolved", "closed"] as string[]).includes(status) ? ("green" as const) : ("yellow" as const);

/** Formats the activity in words: `waiting for signature`. */
const inWords = (activity: NonNullable<Incident["activity"]>) => activity.replaceAll("_", " ");

/** Formats an incident's state as a list cell: its activity if it has one, which says more than the status. */
export function incidentStateCell(one: StatusAndActivity): Cell {
  return { text: one.activity === null ? one.status : inWords(one.activity), style: styleOf(one) };
}

/** Formats status and activity, where there is room for both. */
function statusAndActivity(one: StatusAndActivity): Cell {
  const doing = one.activity === null ? "" : `: ${inWords(one.activity)}`;
  return { text: `${one.status}${doing}`, style: styleOf(one) };
}

function targetText(target: Incident["operation_target"]): string {
  if (target === null) return "-";
  return [target.cluster, target.namespace, target.kind, target.name].filter(Boolean).join(" / ");
}

function printIncident(out: Printer, incident: Incident, evidence: IncidentStory["evidence"]): void {
  const open = candidatesText(evidence?.candidates);
  const { frequency_stats: often } = incident;
  out.line(`${incident.incident_id}  ${incident.title}`, "bold");
  out.fields([
    ["status", statusAndActivity(incident)],
    ["severity", severityCell(incident.severity)],
    ["category", `${incident.alert_category} (${incident.notification_type})`],
    ["services", incident.affected_services.join(", ") || "-"],
    ["target", targetText(incident.operation_target)],
    ...(open === undefined ? [] : ([["", open]] as const)),
    ["hits", `${incident.hit_count}, last at ${formatTime(incident.last_seen)}`],
    [
      "often",
      `${often.last_1h} in 1 h, ${often.last_24h} in 24 h, ${often.last_7d} in 7 d, ${often.last_30d} in 30 d`,
    ],
    ...(incident.flapping
      ? [["flapping", "it fires and resolves repeatedly: notified only when quiet"] as const]
      : []),
    ["opened", formatTime(incident.created_at)],
    ["owner", incident.owner ?? "none"],
    ...(incident.silenced_by.length === 0
      ? []
      : [["silenced", incident.silenced_by.map(({ by, id }) => `${by} ${id}`).join(", ")] as const]),
    ["resolved", formatTime(incident.resolved_at)],
  ]);
}

/** Prints its relations to other incidents; each line names one that can be shown. */
function printRelations(out: Printer, incident: Incident): void {
  const { merged_into, effects, effect_count, related, probable_cause: cause } = incident;
  if (merged_into === null && cause === null && effects.length + related.length === 0) return;
  out.line();
  out.line("Relations", "bold");
  const own = cause?.incident_id === incident.incident_id;
  out.fields([
    ...(merged_into === null ? [] : ([["effect of", merged_into]] as const)),
    ...(cause === null
      ? []
      : ([["probable cause", `${own ? "this" : cause.incident_id}: ${cause.reason}`]] as const)),
    ...effects.map((one) => ["effect", `${one.incident_id}  ${one.title} (${one.reason})`] as const),
    ...(effect_count > effects.length ? ([["", `and ${effect_count - effects.length} more`]] as const) : []),
    ...related.map((one) => ["related", `${one.incident_id}  ${one.title} (${one.reason})`] as const),
  ]);
}

function printDecision(out: Printer, decision: Decision): void {
  const { proposal, policy, rule_id, source } = decision;
  out.line();
  out.line(`Decision  ${proposal.action}`, "bold");
  out.fields([
    ["state", decision.state],
    ["by", rule_id === null ? source : `${source}, rule ${rule_id}`],
    ["operation", operationText(proposal)],
    ["risk", proposal.risk_level],
    ["why", proposal.reasoning],
    ["policy", `${policy.outcome} (${policy.rule}): ${policy.reason}`],
  ]);
}

function printApproval(out: Printer, approval: Approval): void {
  out.line();
  // A superseded plan can no longer be signed: another took its place.
  if (approval.status === "superseded")
    out.line(`${approval.approval_id}  superseded: ${approval.action}`, "dim");
  else printPlan(out, approval);
}

function undoFields(out: Printer, { undo, undone_by, execution_id, attempts, ended_at }: Execution) {
  if (undone_by !== null) return [["undone by", undone_by]] as const;
  if (undo === null || attempts === 0 || ended_at === null) return [];
  if (!undo.possible) return [["undo", `not possible: ${undo.reason}`]] as const;
  const stays = undo.leaves === null ? "" : `; not undone: ${undo.leaves}`;
  return [
    ["undo", `${undo.action}${stays}`],
    ["", out.awoooi("executions", "undo", execution_id)],
  ] as const;
}

/** Prints one execution, with its result and whether it can be undone. */
export function printExecution(out: Printer, execution: Execution): void {
  const { verification, error, output } = execution;
  out.line();
  out.line(`Execution ${execution.execution_id}`, "bold");
  const worked = execution.status === "success";
  const failed = ["failed", "refused"].includes(execution.status);
  out.fields([
    [
      "status",
      worked || failed ? { text: execution.status, style: worked ? "green" : "red" } : execution.status,
    ],
    ["operation", operationText(execution)],
    ["attempts", String(execution.attempts)],
    ["began", formatTime(execution.started_at)],
    ["ended", formatTime(execution.ended_at)],
    ...(output === null ? [] : ([["output", output]] as const)),
    ...(error === null ? [] : ([["error", error]] as const)),
    ...(verification === null
      ? []
      : ([["verified", `${verification.result}: ${verification.reason}`]] as const)),
    ...(execution.undoes === null ? [] : ([["undoes", execution.undoes]] as const)),
    ...undoFields(out, execution),
  ]);
}

function printTimeline(out: Printer, timeline: readonly TimelineEvent[]): void {
  out.line();
  out.line("Timeline", "bold");
  const rows = timeline.map(
    ({ at, kind, actor, actor_kind, text }) =>
      `${formatTime(at)}  ${kind}  ${actorText(actor, actor_kind)}: ${text}`,
  );
  for (const row of rows) out.line(`  ${row}`);
}

/** Describes by whom it was resolved, and how. */
function howResolved({ outcome }: Incident): string {
  if (outcome === null) return "";
  const { disposition, resolved_by, resolved_by_kind } = outcome;
  // There is no disposition for an incident that ended by itself.
  if (disposition === "manual_resolved" && resolved_by_kind === "system")
    return ": its alert resolved without a repair by AWOOOI";
  return ` (${disposition.replaceAll("_", " ")}, by ${actorText(resolved_by, resolved_by_kind)})`;
}

/** Returns why a plan ended without success, and the command that helps; null for other plans. */
function whyOver(out: Printer, plan: Approval, executions: readonly Execution[]): string[] | null {
  if (plan.status === "rejected")
    return [`the plan was rejected: ${plan.reject_reason ?? "no reason was given"}`];
  if (plan.status === "expired") {
    const signed = plan.authority_until !== null;
    return [signed ? "the plan was signed but not started in time" : "the plan was not signed in time"];
  }
  const last = executions.find(({ approval_id }) => approval_id === plan.approval_id);
  if (plan.status !== "execution_failed" || last === undefined) return null;
  if (last.error_code === "frozen" || last.error_code === "freeze_window")
    return [
      `the plan was refused (${last.error}); it is proposed again as soon as changes are allowed`,
      `  ${out.awoooi("freeze", "status")}`,
    ];
  const what = last.status === "refused" ? "the plan was refused" : "the repair did not help";
  return [`${what}: ${last.error ?? last.verification?.reason ?? last.status}`];
}

/** Returns why no person needs to act on an incident under watch. */
function whyRests({ incident, decision }: IncidentStory): string | undefined {
  if (decision?.policy.outcome === "none") return decision.policy.reason;
  if (incident.silenced_by.length > 0) return "it is silenced";
  if (incident.flapping) return "it is flapping, and resolves once it stays quiet";
  return "its repair was verified, and its alert has not resolved yet";
}

/** Returns why the incident needs a person, and the command that helps. */
function whyPerson(out: Printer, { incident, decision, approvals, executions }: IncidentStory): string[] {
  if (decision === null)
    return [
      incident.activity === "recorded" ? "it is information, recorded and shown" : "nothing has been decided",
    ];
  const { proposal, policy } = decision;
  const plan = approvals.find((one) => one.decision_token === decision.token && one.status !== "superseded");
  const over = plan && whyOver(out, plan, executions);
  if (over) return over;
  // For `investigate`, the policy only says that nothing can be done; the rule's reasoning says why.
  return [proposal.operation.kind === "investigate" ? proposal.reasoning : policy.reason];
}

/** Returns lines on what a person can do about the incident now. */
function whatNext(out: Printer, story: IncidentStory): string[] {
  const { incident, approvals } = story;
  if (["resolved", "closed"].includes(incident.status)) {
    return [`Nothing: it is ${incident.status}${howResolved(incident)}.`];
  }
  if (incident.merged_into !== null)
    return [
      "Nothing here: act on the incident that it is an effect of.",
      `  ${out.awoooi("incidents", "show", incident.merged_into)}`,
      `  ${out.awoooi("incidents", "split", incident.incident_id, "--comment", "TEXT")}`,
    ];
  const pending = approvals.find((one) => one.status === "pending");
  if (pending !== undefined) return howToDecide(out, pending);
  if (approvals.some((one) => one.status === "preparing"))
    return ["The plan is being prepared: check again in a moment."];
  if (approvals.some((one) => ["approved", "executing"].includes(one.status)))
    return ["The plan is being carried out and then verified: check again in a moment."];
  const rests = incident.activity === "under_watch" ? whyRests(story) : undefined;
  const [reason = "", ...lines] = rests === undefined ? whyPerson(out, story) : [rests];
  const id = incident.incident_id;
  const nothing = rests !== undefined || incident.activity === "recorded";
  return [
    `${nothing ? "Nothing" : "This needs a person"}: ${reason.replace(/\.$/, "")}.`,
    ...lines,
    ...(incident.acknowledged_at === null ? [`  ${out.awoooi("incidents", "ack", id)}`] : []),
    `  ${out.awoooi("incidents", "resolve", id, "--comment", "TEXT")}`,
  ];
}

/** Prints the whole story of an incident, and what to do next. */
export function printStory(out: Printer, story: IncidentStory): void {
  printIncident(out, story.incident, story.evidence);
  printRelations(out, story.incident);
  if (story.evidence) printEvidence(out, story.evidence);
  if (story.decision !== null) printDecision(out, story.decision);
  for (const approval of story.approvals) printApproval(out, approval);
  for (const execution of story.executions) printExecution(out, execution);
  printTimeline(out, story.timeline);
  out.line();
  out.line("Next", "bold");
  for (const line of whatNext(out, story)) out.line(line);
}
