import type { Approval } from "../../contract/approval.ts";
import { counted } from "../../lib/words.ts";
import { blastRadiusInWords } from "../../operation/index.ts";
import { actorText, type Cell, formatTime, type Printer, type Style } from "../print.ts";

const STATUS_STYLES: Partial<Record<Approval["status"], Style>> = {
  pending: "yellow",
  execution_success: "green",
  execution_failed: "red",
  rejected: "red",
};

/** Formats an approval's status as a cell; `verifying` while its execution is being verified. */
export function approvalStatusCell(one: Pick<Approval, "status" | "execution_status">): Cell {
  const { status } = one;
  const text = one.execution_status === "verifying" ? "verifying" : status;
  const style = STATUS_STYLES[status];
  return style === undefined ? text : { text, style };
}

/** Returns how many of its signatures count. */
export const countedSignatures = ({ signatures }: Pick<Approval, "signatures">) =>
  signatures.filter((one) => one.counts).length;

/** Returns how many counting signatures it still needs. */
export const missingSignatures = (one: Approval) => one.required_signatures - countedSignatures(one);

/** Formats an operation from its typed data: kind, target and parameters, without any free text. */
export function operationText({ operation }: Pick<Approval, "operation">): string {
  return operationLine(operation);
}

function operationLine(operation: Approval["operation"]): string {
  const { kind, target, parameters } = operation;
  const place = target === null ? "nothing" : [target.cluster, target.host, target.namespace, target.kind];
  const where = target === null ? place : [...place, target.name].filter(Boolean).join(" / ");
  const details = Object.keys(parameters).length === 0 ? "" : ` ${JSON.stringify(parameters)}`;
  return `${kind} on ${where}${details}`;
}

/** Lists every step, since a signature covers all of them. */
function stepFields({ steps, matched_playbook_id }: Approval): [string, string][] {
  const many = steps.length > 1;
  return [
    ...steps.map((one, at): [string, string] => [many ? `step ${at + 1}` : "operation", operationLine(one)]),
    ...(matched_playbook_id === null ? [] : ([["playbook", matched_playbook_id]] as [string, string][])),
  ];
}

/** Prints the plan that a signature would allow: everything to read before signing. */
export function printPlan(out: Printer, approval: Approval): void {
  const { signatures, required_signatures } = approval;
  out.line(`${approval.approval_id}  ${approval.action}`, "bold");
  const risky = ["high", "critical"].includes(approval.risk_level);
  out.fields([
    ["status", approvalStatusCell(approval)],
    ["incident", approval.incident_id],
    ...stepFields(approval),
    ["risk", risky ? { text: approval.risk_level, style: "red" } : approval.risk_level],
    ["blast radius", blastRadiusInWords(approval.blast_radius, approval.steps)],
    ["why", approval.description],
    ["requested by", actorText(approval.requested_by, approval.requested_by_kind)],
    ["plan hash", approval.plan_hash],
    [
      "signatures",
      approval.authority === "policy"
        ? "none: policy allows it"
        : `${countedSignatures(approval)} of ${required_signatures}`,
    ],
    ["expires", formatTime(approval.expires_at)],
    ...(approval.stopped_by === null
      ? []
      : ([["blocked", { text: approval.stopped_by, style: "red" }]] as const)),
    ...(approval.authority_until === null
      ? []
      : ([["may run until", formatTime(approval.authority_until)]] as const)),
    ...(approval.reject_reason === null ? [] : ([["rejected for", approval.reject_reason]] as const)),
  ]);
  for (const { signer, comment, at, why_not } of signatures) {
    out.line(`  signed by ${signer} at ${formatTime(at)}${comment === null ? "" : `: ${comment}`}`);
    if (why_not !== null) out.line(`    does not count: ${why_not}`, "red");
  }
  if (approval.dry_run_checks.length > 0) out.line("checks");
  for (const { name, passed, message } of approval.dry_run_checks) {
    out.line(`  ${passed ? "✓" : "✗"} ${name}: ${message}`, passed ? "green" : "red");
  }
  if (approval.diff === null) return;
  out.line("diff");
  out.block(approval.diff, "  ");
}

/** Returns lines on how to decide about a pending approval; none for other approvals. */
export function howToDecide(out: Printer, approval: Approval): string[] {
  if (approval.status !== "pending") return [];
  const missing = missingSignatures(approval);
  const id = approval.approval_id;
  return [
    `It waits for ${counted(missing, "signature")}, until ${formatTime(approval.expires_at)}:`,
    `  ${out.awoooi("approvals", "approve", id)}`,
    `  ${out.awoooi("approvals", "reject", id, "--reason", "TEXT")}`,
  ];
}
