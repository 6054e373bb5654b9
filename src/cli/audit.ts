import type { Command } from "commander";
import { auditReport } from "../contract/system.ts";
import { urlPath } from "../lib/url-path.ts";
import { read, request } from "./client.ts";
import { group, leaf, type Session } from "./command.ts";

async function verify(session: Session, { json }: { json?: boolean }): Promise<void> {
  const ask = (query: { from?: number; head?: string }) =>
    request(session.server(), "GET", urlPath`/audit/verify`, { query });
  let answer = await ask({});
  let report = read(auditReport, answer);
  while (report.next !== null) {
    answer = await ask({ from: report.next, head: report.head });
    report = read(auditReport, answer);
  }
  const { entries, broken_at, reason, head } = report;
  if (broken_at !== null) session.exit(1);
  if (json) return session.out.json(answer.text);
  if (broken_at !== null) {
    return session.out.line(
      `The ledger is broken at entry ${broken_at}: ${reason ?? "no reason given"}.`,
      "red",
    );
  }
  session.out.line(`The ledger is whole: ${entries} entries.`, "green");
  session.out.line(`head ${head}`);
}

export function addAudit(program: Command, session: Session): void {
  const audit = group(program, "audit", "the ledger of everything that was done");
  leaf(audit, "verify", "check that no entry was changed, removed or put in; exit code 1 when one was", [
    "awoooi audit verify",
  ]).action((options: { json?: boolean }) => verify(session, options));
}
