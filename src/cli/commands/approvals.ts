import type { Command } from "commander";
import { type Approval, approval, approvalStatus, approve as approveBody } from "../../contract/approval.ts";
import { pageOf } from "../../contract/common.ts";
import { AwoooiError, type ErrorCode } from "../../lib/error.ts";
import { urlPath } from "../../lib/url-path.ts";
import { counted } from "../../lib/words.ts";
import { parseAnswer, request } from "../client.ts";
import { addGroup, addSubcommand, choiceOption, duration, id, limit, type Session } from "../command.ts";
import { addFollowing, type FollowOptions, follow, WAIT_HELP } from "../follow.ts";
import { readLine } from "../io.ts";
import { formatTime, shellWord } from "../print.ts";
import {
  approvalStatusCell,
  countedSignatures,
  howToDecide,
  missingSignatures,
  printPlan,
} from "../views/approval-view.ts";

type Json = { json?: boolean };
type ListOptions = Json & { status?: string; incident?: string; limit?: number; cursor?: string };
type ApproveOptions = FollowOptions & { hash?: string; comment?: string; yes?: boolean; wait?: boolean };

async function list(session: Session, options: ListOptions): Promise<void> {
  const { status, incident: incident_id, limit: count, cursor } = options;
  const query = { status, incident_id, limit: count, cursor };
  const answer = await request(session.server(), "GET", urlPath`/approvals`, { query });
  if (options.json) return session.out.json(answer.text);
  const { items, next_cursor } = parseAnswer(pageOf(approval), answer);
  if (items.length === 0) return session.out.line("There are no approvals.");
  session.out.table(
    ["APPROVAL", "INCIDENT", "STATUS", "RISK", "SIGNED", "EXPIRES", "ACTION"],
    items.map((one) => [
      one.approval_id,
      one.incident_id,
      approvalStatusCell(one),
      one.risk_level,
      `${countedSignatures(one)}/${one.required_signatures}`,
      formatTime(one.expires_at),
      one.action,
    ]),
  );
  if (next_cursor !== null) session.err.line(`There are more: --cursor ${shellWord(next_cursor)}`);
}

async function show(session: Session, approvalId: string, { json }: Json): Promise<void> {
  const answer = await request(session.server(), "GET", urlPath`/approvals/${approvalId}`);
  if (json) return session.out.json(answer.text);
  const found = parseAnswer(approval, answer);
  printPlan(session.out, found);
  for (const line of howToDecide(session.out, found)) session.out.line(line);
}

/** Throws when the approval cannot be signed, before the person is asked to. */
function mustBePending({ approval_id, status }: Approval): void {
  if (status === "pending") return;
  const codes: Partial<Record<Approval["status"], ErrorCode>> = {
    preparing: "not_ready",
    expired: "expired",
  };
  throw new AwoooiError(
    codes[status] ?? "already_decided",
    `${approval_id} cannot be signed: it is ${status}.`,
  );
}

async function agreed(session: Session, shown: Approval): Promise<boolean> {
  const failed = shown.dry_run_checks.filter((check) => !check.passed).length;
  if (failed > 0) session.err.line(`${counted(failed, "check")} did not pass.`, "red");
  if (shown.stopped_by !== null) session.err.line("The gateway would refuse it now (see above).", "red");
  session.io.stderr("Sign this plan? [y/N] ");
  return /^\s*y(es)?\s*$/i.test(await readLine(session.io.stdin));
}

/** Shows the plan and returns its hash if the person agrees, now or by `--yes`; else undefined. */
async function hashOfShown(
  session: Session,
  approvalId: string,
  { yes, json }: ApproveOptions,
): Promise<string | undefined> {
  const found = parseAnswer(
    approval,
    await request(session.server(), "GET", urlPath`/approvals/${approvalId}`),
  );
  if (!yes && !session.io.isTTY) {
    mustBePending(found);
    const words = "Confirming needs a terminal: give --hash HASH, or --yes to sign without confirmation.";
    throw new AwoooiError("invalid", words);
  }
  // With --json, stdout holds only the result, for programs.
  printPlan(json ? session.err : session.out, found);
  mustBePending(found);
  return yes || (await agreed(session, found)) ? found.plan_hash : undefined;
}

async function approve(session: Session, approvalId: string, options: ApproveOptions): Promise<void> {
  const plan_hash = options.hash ?? (await hashOfShown(session, approvalId, options));
  if (plan_hash === undefined) {
    session.err.line("Not signed.");
    return session.exit(1);
  }
  const body = approveBody.safeParse({ plan_hash, comment: options.comment });
  if (!body.success) {
    const errors = body.error.issues.map(({ path, message }) => ({ path: path.join("."), message }));
    throw new AwoooiError("invalid", "This cannot be signed.", { errors });
  }
  const path = urlPath`/approvals/${approvalId}/approve`;
  const answer = await request(session.server(), "POST", path, { body: JSON.stringify(body.data) });
  if (options.json && !options.wait) return session.out.json(answer.text);
  const signed = parseAnswer(approval, answer);
  // With --json, stdout holds only the final result.
  const told = options.json ? session.err : session.out;
  told.line(`Signed ${approvalId}: ${signed.action} (plan ${plan_hash.slice(0, 12)}).`, "green");
  if (options.wait) return follow(session, approvalId, options);
  session.out.line(
    signed.status === "pending"
      ? `It waits for ${counted(missingSignatures(signed), "more signature")}.`
      : `It is ${signed.status}: ${session.out.awoooi("incidents", "show", signed.incident_id)}`,
  );
}

async function reject(
  session: Session,
  approvalId: string,
  options: Json & { reason: string },
): Promise<void> {
  const body = JSON.stringify({ reason: options.reason });
  const answer = await request(session.server(), "POST", urlPath`/approvals/${approvalId}/reject`, { body });
  if (options.json) return session.out.json(answer.text);
  const { action } = parseAnswer(approval, answer);
  session.out.line(`Rejected ${approvalId}: ${action}. It will not be executed.`);
}

export function addApprovals(program: Command, session: Session): void {
  const approvals = addGroup(program, "approvals", "plans awaiting signatures, and their results");
  addSubcommand(approvals, "ls", "list approvals, newest first", [
    "awoooi approvals ls --status pending",
    "awoooi approvals ls --incident INC-20260701-7H2K9Q --json",
  ])
    .addOption(choiceOption("--status <status>", "only those in this status", approvalStatus.options))
    .option("--incident <id>", "only those of this incident", id)
    .option("--limit <n>", "at most this many (default: 50)", limit)
    .option("--cursor <cursor>", "continue after the previous page")
    .action((options: ListOptions) => list(session, options));

  addSubcommand(approvals, "show", "show a plan, its risk, checks, hash and signatures", [
    "awoooi approvals show APR-5Q0ZC8WJ1N6T3KXM",
  ])
    .argument("<id>", "the approval", id)
    .action((approvalId: string, options: Json) => show(session, approvalId, options));

  addSubcommand(approvals, "approve", "sign one exact plan, so that it can be executed", [
    "awoooi approvals approve APR-5Q0ZC8WJ1N6T3KXM",
    'awoooi approvals approve APR-5Q0ZC8WJ1N6T3KXM --yes --comment "seen on the dashboard"',
    "awoooi approvals approve APR-5Q0ZC8WJ1N6T3KXM --hash $HASH",
    "awoooi approvals approve APR-5Q0ZC8WJ1N6T3KXM --wait --timeout 10m",
  ])
    .argument("<id>", "the approval", id)
    .option("--hash <hash>", "sign only the plan with this hash")
    .option("--comment <text>", "kept with your signature")
    .option("--yes", "sign the current plan without confirmation")
    .option("--wait", "then follow it until it is verified")
    .option("--timeout <duration>", "with --wait: at most this long (default: 30m)", duration)
    .addHelpText("after", WAIT_HELP)
    .action((approvalId: string, options: ApproveOptions) => approve(session, approvalId, options));

  addFollowing(approvals, session);

  addSubcommand(approvals, "reject", "reject a plan, with a reason", [
    'awoooi approvals reject APR-5Q0ZC8WJ1N6T3KXM --reason "a deployment is under way"',
  ])
    .argument("<id>", "the approval", id)
    .requiredOption("--reason <text>", "why")
    .action((approvalId: string, options: Json & { reason: string }) => reject(session, approvalId, options));
}
