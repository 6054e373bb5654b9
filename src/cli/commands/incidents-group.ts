import { parseDocument } from "yaml";
import { z } from "zod";
import {
  correlate,
  DEFAULT_TERMS,
  type Group,
  NO_TOPOLOGY,
  parseTopology,
  type Symptom,
  type Topology,
} from "../../incident/index.ts";
import { AwoooiError } from "../../lib/error.ts";
import { alertInput } from "../alert-input.ts";
import type { Session } from "../command.ts";
import { inputPieces, readInput } from "../io.ts";
import { alertLines } from "../views/alert-lines.ts";

export type GroupOptions = { topology?: string; window?: number; json?: boolean };

// Go's zero time, which senders use for an unknown time.
const UNKNOWN = "0001-01-01T00:00:00";

const time = z
  .union([z.string(), z.null()])
  .optional()
  .transform((text, ctx): Date | null => {
    if (text == null || text === "" || text.startsWith(UNKNOWN)) return null;
    const date = new Date(text);
    if (!Number.isNaN(date.getTime())) return date;
    ctx.addIssue({ code: "custom", message: "it is not a time" });
    return z.NEVER;
  });

const started = z
  .looseObject({ startsAt: time, starts_at: time })
  .transform(({ startsAt, starts_at }) => startsAt ?? starts_at);

/** An alert as in `rules classify`, with its start time. */
const symptomInput = z.unknown().transform((input, ctx): Omit<Symptom, "id"> => {
  const [alert, starts_at] = [alertInput.safeParse(input), started.safeParse(input)];
  for (const { error } of [alert, starts_at])
    for (const { path, message } of error?.issues ?? []) ctx.addIssue({ code: "custom", path, message });
  if (!alert.success || !starts_at.success) return z.NEVER;
  const { labels, annotations } = alert.data;
  return {
    alert_name: labels.alertname ?? "",
    labels,
    annotations,
    cluster: "",
    namespace: "",
    services: [],
    starts_at: starts_at.data,
  };
});

async function topologyIn(session: Session, file: string | undefined): Promise<Topology> {
  if (file === undefined) return NO_TOPOLOGY;
  // YAML is a superset of JSON.
  const document = parseDocument(await readInput(file, session.io.stdin), { logLevel: "silent" });
  const [error] = document.errors;
  if (error !== undefined)
    throw new AwoooiError("invalid", `${file} is neither YAML nor JSON: ${error.message.split("\n", 1)[0]}`);
  try {
    return parseTopology(document.toJS({ maxAliasCount: 100 }));
  } catch (thrown) {
    if (thrown instanceof AwoooiError) throw thrown;
    throw new AwoooiError("invalid", `${file} cannot be read as YAML.`);
  }
}

/** Returns the group, reason and cause flag to print for each alert, by its id. */
function placesOf(groups: readonly Group[]): Map<string, { group: number; reason: string; cause: boolean }> {
  const places = new Map<string, { group: number; reason: string; cause: boolean }>();
  for (const { members, cause, links, reason } of groups) {
    const group = members.reduce((least, id) => Math.min(least, Number(id)), Number.POSITIVE_INFINITY);
    const ties = new Map(
      links.flatMap(({ a, relation }) => (relation.strength === "merge" ? [[a, relation]] : [])),
    );
    for (const id of members) {
      const isCause = cause?.id === id;
      const own = isCause ? cause.reason : ties.get(id)?.reasons.join("; ");
      places.set(id, { group, reason: own ?? reason, cause: isCause });
    }
  }
  return places;
}

/**
 * Prints one line of JSON for each input line, in order; a group's number is the smallest index in it. For a line that
 * is no alert it prints an error and sets exit code 2; the other lines are grouped without it.
 */
export async function groupLines(session: Session, file: string, options: GroupOptions): Promise<void> {
  const { topology: graph, window } = options;
  if (file === "-" && graph === "-")
    throw new AwoooiError("invalid", "Only one of the alerts and the graph can come from stdin.");
  const topology = await topologyIn(session, graph);
  const terms = window === undefined ? DEFAULT_TERMS : { ...DEFAULT_TERMS, window_ms: window * 1000 };
  const symptoms: Symptom[] = [];
  const errors = new Map<number, string>();
  for await (const line of alertLines(inputPieces(file, session.io.stdin), symptomInput)) {
    const index = line.number - 1;
    if ("error" in line) errors.set(index, line.error);
    else symptoms.push({ ...line.value, id: String(index) });
  }
  const places = placesOf(correlate(symptoms, topology, terms));
  for (let index = 0; index < symptoms.length + errors.size; index++) {
    const error = errors.get(index);
    const { group, reason, cause } = places.get(String(index)) ?? {};
    const said =
      error === undefined ? { index, group, reason, ...(cause ? { cause } : {}) } : { index, error };
    session.out.json(JSON.stringify(said));
  }
  if (errors.size > 0) session.exit(2);
}
