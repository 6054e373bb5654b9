import type { Command } from "commander";
import { z } from "zod";
import { approval } from "../../contract/approval.ts";
import { pageOf, severity } from "../../contract/common.ts";
import { decision } from "../../contract/decision.ts";
import { investigation } from "../../contract/evidence.ts";
import { execution } from "../../contract/execution.ts";
import { type Incident, incident, incidentStatus, timelineEvent } from "../../contract/incident.ts";
import { systemClock } from "../../lib/clock.ts";
import { type UrlPath, urlPath } from "../../lib/url-path.ts";
import { itemsOf, parseAnswer, request, type Server } from "../client.ts";
import { addGroup, addSubcommand, choiceOption, id, limit, type Session, seconds } from "../command.ts";
import { formatSpan, shellWord } from "../print.ts";
import { incidentStateCell, printStory, severityCell } from "../views/incident-view.ts";
import { addRelations } from "./incident-relations.ts";
import { type GroupOptions, groupLines } from "./incidents-group.ts";

type Json = { json?: boolean };
type FeedbackOptions = Json & { score?: string; comment?: string; notes?: string; remember?: boolean };
type ListOptions = Json & {
  status?: string;
  severity?: string;
  service?: string;
  merged?: string;
  limit?: number;
  cursor?: string;
};

const story = z.object({
  incident,
  decision: decision.nullable(),
  evidence: investigation.nullish(),
  approvals: z.array(approval),
  executions: z.array(execution),
  timeline: z.array(timelineEvent),
});

// The server's page size for events.
const TIMELINE_PAGE = 500;

async function list(session: Session, options: ListOptions): Promise<void> {
  const { json, ...query } = options;
  const answer = await request(session.server(), "GET", urlPath`/incidents`, { query });
  if (json) return session.out.json(answer.text);
  const { items, next_cursor } = parseAnswer(pageOf(incident), answer);
  if (items.length === 0) return session.out.line("There are no incidents.");
  const now = systemClock.now().getTime();
  session.out.table(
    ["INCIDENT", "SEV", "STATUS", "HITS", "EFFECTS", "AGE", "TARGET", "SERVICES", "TITLE"],
    items.map((one) => [
      one.incident_id,
      severityCell(one.severity),
      incidentStateCell(one),
      String(one.hit_count),
      one.merged_into ?? (one.effect_count === 0 ? "-" : String(one.effect_count)),
      formatSpan(now - Date.parse(one.created_at)),
      one.operation_target === null ? "-" : `${one.operation_target.kind}/${one.operation_target.name}`,
      one.affected_services.join(", ") || "-",
      one.title,
    ]),
  );
  if (next_cursor !== null) session.err.line(`There are more: --cursor ${shellWord(next_cursor)}`);
}

async function timelineOf(server: Server, incidentId: string): Promise<unknown[]> {
  const events: unknown[] = [];
  for (;;) {
    const after =
      events.length === 0 ? undefined : parseAnswer(timelineEvent, { text: "", json: events.at(-1) }).seq;
    const page = itemsOf(
      await request(server, "GET", urlPath`/incidents/${incidentId}/timeline`, { query: { after } }),
    );
    events.push(...page);
    if (page.length < TIMELINE_PAGE) return events;
  }
}

async function show(session: Session, incidentId: string, { json }: Json): Promise<void> {
  const server = session.server();
  const found = await request(server, "GET", urlPath`/incidents/${incidentId}`);
  const { decision: decided, links } = parseAnswer(incident, found);
  const [decisionAnswer, evidence, approvals, executions, timeline] = await Promise.all([
    decided !== null ? request(server, "GET", urlPath`/incidents/${incidentId}/decision`) : null,
    links.evidence === undefined ? null : request(server, "GET", urlPath`/incidents/${incidentId}/evidence`),
    request(server, "GET", urlPath`/approvals`, { query: { incident_id: incidentId, limit: 200 } }),
    request(server, "GET", urlPath`/incidents/${incidentId}/executions`, { query: { limit: 200 } }),
    timelineOf(server, incidentId),
  ]);
  const whole = {
    incident: found.json,
    decision: decisionAnswer?.json ?? null,
    ...(evidence === null ? {} : { evidence: evidence.json }),
    approvals: itemsOf(approvals),
    executions: itemsOf(executions),
    timeline,
  };
  const text = JSON.stringify(whole);
  if (json) return session.out.json(text);
  printStory(session.out, parseAnswer(story, { text, json: whole }));
}

async function change(
  session: Session,
  path: UrlPath,
  body: object | undefined,
  more: Json & { said: (changed: Incident) => string },
): Promise<void> {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const answer = await request(session.server(), "POST", path, sent);
  if (more.json) return session.out.json(answer.text);
  session.out.line(more.said(parseAnswer(incident, answer)));
}

const acknowledge = (session: Session, incidentId: string, { json }: Json) =>
  change(session, urlPath`/incidents/${incidentId}/acknowledge`, undefined, {
    ...(json ? { json } : {}),
    said: ({ owner }) => `${incidentId} is acknowledged; its owner is ${owner ?? "not set"}.`,
  });

const GROUP_FORMS = `
Alerts: {"alertname": …, "labels": {…}, "annotations": {…}, "startsAt": …}; without startsAt, time is ignored.
Output: {"index", "group", "reason"} for each input line, "cause": true for the cause of its group.
The graph: {"services": {"api": {"depends_on": ["db"], "namespace": "prod"}}} as in Compose files,
{"nodes": [{"id": "api"}], "edges": [{"from": "api", "to": "db"}]}, or such edges alone as a list. A name may be
namespace/name; "runs_on" names the machines of a service.`;

function addList(incidents: Command, session: Session): void {
  addSubcommand(incidents, "ls", "list incidents, newest first", [
    "awoooi incidents ls --status investigating --severity P0",
    "awoooi incidents ls --service demo-shop --limit 5",
    "awoooi incidents ls --json | jq -r '.items[].incident_id'",
  ])
    .addOption(choiceOption("--status <status>", "only those in this status", incidentStatus.options))
    .addOption(choiceOption("--severity <severity>", "only those of this severity", severity.options))
    .option("--service <name>", "only those that affect this service")
    .addOption(
      choiceOption("--merged <which>", "true: only effects of others; any: those too (default: false)", [
        "true",
        "false",
        "any",
      ]),
    )
    .option("--limit <n>", "at most this many (default: 50)", limit)
    .option("--cursor <cursor>", "continue after the previous page")
    .action((options: ListOptions) => list(session, options));
}

export function addIncidents(program: Command, session: Session): void {
  const incidents = addGroup(program, "incidents", "list, show and handle incidents");
  addList(incidents, session);

  addSubcommand(incidents, "show", "show an incident in full, and what to do next", [
    "awoooi incidents show INC-20260701-7H2K9Q",
    "awoooi incidents show INC-20260701-7H2K9Q --json | jq .incident.status",
  ])
    .argument("<id>", "the incident", id)
    .action((incidentId: string, options: Json) => show(session, incidentId, options));

  addSubcommand(incidents, "ack", "acknowledge an incident", ["awoooi incidents ack INC-20260701-7H2K9Q"])
    .argument("<id>", "the incident", id)
    .action((incidentId: string, options: Json) => acknowledge(session, incidentId, options));

  addSubcommand(incidents, "resolve", "resolve an incident; resolving it twice is harmless", [
    'awoooi incidents resolve INC-20260701-7H2K9Q --comment "disk was full, cleared by hand"',
  ])
    .argument("<id>", "the incident", id)
    .option("--comment <text>", "what was wrong")
    .action((incidentId: string, options: Json & { comment?: string }) => {
      const { comment } = options;
      const said = (changed: Incident) => `${incidentId} is ${changed.status}.`;
      return change(session, urlPath`/incidents/${incidentId}/resolve`, { comment }, { ...options, said });
    });

  const changed = (incidentId: string) => (one: Incident) => `${incidentId} is ${one.status}.`;

  addSubcommand(incidents, "reopen", "reopen a resolved incident", [
    'awoooi incidents reopen INC-20260701-7H2K9Q --comment "the disk is full again"',
  ])
    .argument("<id>", "the incident", id)
    .option("--comment <text>", "why")
    .action((incidentId: string, options: Json & { comment?: string }) => {
      const { comment } = options;
      return change(
        session,
        urlPath`/incidents/${incidentId}/reopen`,
        { comment },
        { ...options, said: changed(incidentId) },
      );
    });

  addSubcommand(incidents, "close", "close a resolved incident: the same alert then opens a new one", [
    "awoooi incidents close INC-20260701-7H2K9Q",
  ])
    .argument("<id>", "the incident", id)
    .action((incidentId: string, options: Json) =>
      change(session, urlPath`/incidents/${incidentId}/close`, undefined, {
        ...options,
        said: changed(incidentId),
      }),
    );

  addRelations(incidents, session, change);

  addSubcommand(incidents, "assign", "assign an incident; without an owner, unassign it", [
    "awoooi incidents assign INC-20260701-7H2K9Q ada",
  ])
    .argument("<id>", "the incident", id)
    .argument("[owner]", "a person or a team")
    .action((incidentId: string, owner: string | undefined, options: Json) => {
      const said = (one: Incident) => `The owner of ${incidentId} is ${one.owner ?? "not set"}.`;
      return change(
        session,
        urlPath`/incidents/${incidentId}/assign`,
        { owner: owner ?? null },
        { ...options, said },
      );
    });

  addSubcommand(incidents, "feedback", "rate how an incident was handled", [
    'awoooi incidents feedback INC-20260701-7H2K9Q --score 5 --comment "the restart was right"',
  ])
    .argument("<id>", "the incident", id)
    .addOption(choiceOption("--score <score>", "1 to 5, 5 is best", ["1", "2", "3", "4", "5"]))
    .option("--comment <text>", "a comment")
    .option("--notes <text>", "lessons from it")
    .option("--remember", "it is worth remembering")
    .action((incidentId: string, options: FeedbackOptions) => {
      const { score, comment, notes, remember, ...more } = options;
      const body = {
        effectiveness_score: score === undefined ? undefined : Number(score),
        human_feedback: comment,
        learning_notes: notes,
        should_remember: remember,
      };
      const said = () => `The feedback is kept with ${incidentId}.`;
      return change(session, urlPath`/incidents/${incidentId}/feedback`, body, { ...more, said });
    });

  addSubcommand(incidents, "comment", "add a comment to an incident's timeline", [
    'awoooi incidents comment INC-20260701-7H2K9Q "the vendor is informed"',
  ])
    .argument("<id>", "the incident", id)
    .argument("<text>", "the comment")
    .action((incidentId: string, text: string, options: Json) => {
      const said = () => `The comment is on the timeline of ${incidentId}.`;
      return change(session, urlPath`/incidents/${incidentId}/comment`, { text }, { ...options, said });
    });

  addSubcommand(incidents, "group", "group alerts by common cause, and name it; needs no server", [
    "awoooi incidents group < alerts.jsonl",
    "awoooi incidents group alerts.jsonl --topology compose.yaml | jq -c 'select(.cause)'",
  ])
    .argument("[file]", "alerts, one JSON object a line; - for stdin", "-")
    .option("--topology <file>", "the dependency graph, as YAML or JSON")
    .option("--window <seconds>", "longest time between starts in a group (default: 600)", seconds)
    .addHelpText("after", GROUP_FORMS)
    .action((file: string, options: GroupOptions) => groupLines(session, file, options));
}
