import type { Approval } from "../src/contract/approval.ts";
import { counted } from "../src/lib/words.ts";
import { blastRadiusInWords } from "../src/operation/index.ts";

/** Where the plan is signed: at the terminal below the card, by the demo itself, or by a command elsewhere. */
export type SignedWhere = "here" | "demo" | "elsewhere";

/** A plan as a card, with the command that signs it unless the terminal asks right below. */
export function cardLines(
  approval: Approval,
  asked: SignedWhere,
  { url, adminToken, program }: { url: string; adminToken: string; program: string },
): string[] {
  const { action, risk_level, plan_hash, approval_id, required_signatures, dry_run_checks } = approval;
  const signatures = `${counted(required_signatures, "signature")} needed`;
  const body = [
    `risk ${risk_level}, ${signatures}`,
    `blast radius: ${blastRadiusInWords(approval.blast_radius, approval.steps)}`,
    ...dry_run_checks.map(({ passed, name, message }) => `${passed ? "✓" : "✗"} ${name}: ${message}`),
    `plan ${plan_hash.slice(0, 16)}…`,
    ...(asked === "here"
      ? []
      : [
          asked === "demo" ? "a person signs it with:" : "to sign it, in another terminal:",
          `  export AWOOOI_URL=${url} AWOOOI_TOKEN=${adminToken}`,
          `  ${program} approvals approve ${approval_id}`,
        ]),
  ];
  return [`┌ ${action}`, ...body.map((line, at) => `${at === body.length - 1 ? "└" : "│"} ${line}`)];
}
