import type { Command } from "commander";
import { type Approval, approval } from "../contract/approval.ts";
import { pageOf } from "../contract/common.ts";
import { type Execution, execution } from "../contract/execution.ts";
import { AwoooiError, ERRORS } from "../lib/error.ts";
import { urlPath } from "../lib/url-path.ts";
import { wait } from "../lib/wait.ts";
import { counted } from "../lib/words.ts";
import { type Answer, parseAnswer, request, ServerProblem } from "./client.ts";
import { addSubcommand, duration, id, type Session } from "./command.ts";
import { missingSignatures } from "./views/approval-view.ts";

export type FollowOptions = { json?: boolean; timeout?: number };

/** Seconds: longer than the server's default limit for an execution. */
const TIMEOUT = 30 * 60;
const FIRST_MS = 250;
const SLOWEST_MS = 3_000;
const SLOWER = 1.5;

export const WAIT_HELP = `
Exit codes: 0 executed and verified, 1 failed or not verified, 5 will not be executed (rejected, expired,
superseded), 6 timed out. Ctrl-C ends only the following; \`approvals wait\` resumes it.`;

/** Describes the state of an approval; printed whenever it changes. */
function stateOf(one: Approval): string {
  switch (one.status) {
    case "preparing":
      return "The plan is being prepared.";
    case "pending":
      return `It waits for ${counted(missingSignatures(one), "more signature")}.`;
    case "approved":
      return "Approved: it is about to be carried out.";
    case "executing":
      return one.execution_status === "verifying"
        ? "Carried out; its effect is being verified."
        : "It is being carried out.";
    case "execution_success":
    case "execution_failed":
      return "It has ended.";
    case "rejected":
    case "expired":
    case "superseded":
      return `It is ${one.status}, and will not be carried out.`;
  }
}

const ENDED: readonly Approval["status"][] = [
  "execution_success",
  "execution_failed",
  "rejected",
  "expired",
  "superseded",
];

const isTransient = (error: unknown) =>
  (error instanceof AwoooiError && error.code === "unavailable") ||
  (error instanceof ServerProblem && error.problem.status === 503);

/** Polls an approval until it has ended, reporting each change; returns undefined when the time is over first. */
async function pollUntilEnded(
  session: Session,
  approvalId: string,
  seconds: number,
  tell: (line: string) => void,
) {
  const until = performance.now() + seconds * 1000;
  let told = "";
  let pause = FIRST_MS;
  for (;;) {
    // Keep polling while the server is unavailable: after a restart it continues the execution.
    const answer = await request(session.server(), "GET", urlPath`/approvals/${approvalId}`).catch(
      (error: unknown) => {
        if (!isTransient(error)) throw error;
      },
    );
    const found = answer && parseAnswer(approval, answer);
    const state = found === undefined ? "The server does not answer: trying again." : stateOf(found);
    if (found !== undefined && ENDED.includes(found.status))
      return { found, answer: answer as Answer, state };
    if (state === told) pause = Math.min(pause * SLOWER, SLOWEST_MS);
    else {
      tell(state);
      told = state;
      pause = FIRST_MS;
    }
    const left = until - performance.now();
    if (left <= 0) return undefined;
    await wait(Math.min(pause, left));
  }
}

/** Prints the result of each step, and whether it was verified. */
function printResult(out: Session["out"], steps: readonly Execution[]): void {
  for (const one of steps) {
    const { verification, status, error, output } = one;
    const worked = status === "success";
    const at = steps.length > 1 ? `step ${one.step}: ` : "";
    if (output !== null) out.line(`  ${at}${output}`);
    if (error !== null) out.line(`  ${at}${error}`, "red");
    if (verification !== null)
      out.line(`Verified: ${at}${verification.result}: ${verification.reason}`, worked ? "green" : "red");
    else if (!worked) out.line(`Not verified: ${at}it is ${status}.`, "red");
  }
}

/** Follows an approval to its end, and sets the exit code by its result. */
export async function follow(session: Session, approvalId: string, options: FollowOptions): Promise<void> {
  const { out, err } = session;
  const told = options.json ? err : out;
  const end = await pollUntilEnded(session, approvalId, options.timeout ?? TIMEOUT, (line) =>
    told.line(line),
  );
  if (end === undefined) {
    err.line(`Timed out; it goes on. Follow it further with: ${err.awoooi("approvals", "wait", approvalId)}`);
    return session.exit(ERRORS.unavailable.exit);
  }
  const { found, answer, state } = end;
  const { status, incident_id } = found;
  const worked = status === "execution_success";
  const acted = worked || status === "execution_failed";
  if (!worked) session.exit(acted ? ERRORS.internal.exit : ERRORS.conflict.exit);
  if (options.json) return out.json(answer.text);
  if (!acted) out.line(state, "red");
  else {
    const path = urlPath`/incidents/${incident_id}/executions`;
    const all = await request(session.server(), "GET", path, { query: { limit: 200 } });
    const { items } = parseAnswer(pageOf(execution), all);
    printResult(out, items.filter((one) => one.approval_id === approvalId).reverse());
  }
  out.line(out.awoooi("incidents", "show", incident_id));
}

export function addFollowing(approvals: Command, session: Session): void {
  addSubcommand(approvals, "wait", "follow an approval until it is verified, or will not be carried out", [
    "awoooi approvals wait APR-5Q0ZC8WJ1N6T3KXM",
    "awoooi approvals wait APR-5Q0ZC8WJ1N6T3KXM --timeout 10m --json",
  ])
    .argument("<id>", "the approval", id)
    .option("--timeout <duration>", "at most this long (default: 30m)", duration)
    .addHelpText("after", WAIT_HELP)
    .action((approvalId: string, options: FollowOptions) => follow(session, approvalId, options));
}
