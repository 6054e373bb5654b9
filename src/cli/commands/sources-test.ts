import { normalise, type SaidSeverity, saidSeverity, severityWord } from "../../intake/index.ts";
import { systemClock } from "../../lib/clock.ts";
import { AwoooiError } from "../../lib/error.ts";
import type { Session } from "../command.ts";
import { type LocalConfig, readInput } from "../io.ts";
import { severityText } from "../views/severity-text.ts";

export type TestOptions = { source: string; file: string; config?: string; json?: boolean };

/** What a body decodes to, as far as that is known without a server. */
export type SourceTest = {
  source: string;
  alerts: {
    name: string;
    status: string;
    severity: string | null;
    /** The sender's word for it, and the word of the table that it matched. */
    severity_by: SaidSeverity | null;
    target: string;
    namespace: string;
    category: string;
    message: string;
    fingerprint: string;
    /** Identifies the instance, whose repeated deliveries count once; null: each call counts. */
    instance: string | null;
    starts_at: string | null;
    labels: Record<string, string>;
    annotations: Record<string, string>;
  }[];
  /** Fingerprints of the alerts that the sender acknowledges. */
  acknowledged: readonly string[];
  /** Why parts of the body would become a dead letter. */
  rejected: string[];
  truncated: number;
};

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new AwoooiError("invalid", `${file === "-" ? "stdin" : file} is not JSON.`);
  }
}

type Local = ReturnType<LocalConfig["localSources"]>;

/** Finds a source by its id; for a custom one, its name is enough. */
function sourceOf({ sources }: Local, name: string) {
  const found = sources.find(({ id }) => id === name) ?? sources.find(({ id }) => id === `custom:${name}`);
  if (found !== undefined) return found;
  const ids = sources.map(({ id }) => id).join(", ");
  throw new AwoooiError("not_found", `There is no source ${name}; there are ${ids}.`);
}

/** Decodes and normalises a body as the server would. Throws `not_found` for an unknown source. */
export function testSource(local: Local, name: string, body: unknown): SourceTest {
  const source = sourceOf(local, name);
  const decoded = source.decode(body);
  const nothing = { source: source.id, alerts: [], acknowledged: [], truncated: 0 };
  if (!decoded.ok) return { ...nothing, rejected: [decoded.reason] };
  const call = source.counts_calls ? "this call" : undefined;
  const alerts = decoded.alerts.map((one) => {
    const alert = normalise(one, source.id, systemClock.now(), local.classification, call);
    return {
      name: alert.alert_name,
      status: alert.status,
      severity: alert.severity,
      severity_by: saidSeverity(severityWord(alert.labels), local.classification.severities),
      target: alert.target_resource,
      namespace: alert.namespace,
      category: alert.alert_category,
      message: alert.message,
      fingerprint: alert.fingerprint,
      instance: alert.of_call ? null : alert.instance_key,
      starts_at: alert.start_known ? alert.starts_at.toISOString() : null,
      labels: alert.labels,
      annotations: alert.annotations,
    };
  });
  const { acknowledged = [], rejected, truncated } = decoded;
  return { source: source.id, alerts, acknowledged, rejected, truncated };
}

function print({ out }: Session, found: SourceTest): void {
  for (const alert of found.alerts) {
    out.line(alert.name, "bold");
    out.fields([
      ["status", alert.status],
      ["severity", severityText(alert.severity_by)],
      ["target", alert.target],
      ["namespace", alert.namespace],
      ["category", alert.category],
      ["message", alert.message],
      ["began", alert.starts_at ?? "not given: one alert until it resolves"],
      ["fingerprint", alert.fingerprint],
      ["instance", alert.instance ?? "each call counts"],
      ["labels", Object.keys(alert.labels).sort().join(", ")],
    ]);
    out.line();
  }
  for (const key of found.acknowledged) out.line(`acknowledges ${key}`);
  for (const reason of found.rejected) out.line(`rejected: ${reason}`, "red");
  if (found.truncated > 0) out.line(`${found.truncated} more left out by the sender`, "yellow");
  out.line(`${found.source}: ${found.alerts.length} parsed, ${found.rejected.length} rejected`);
}

/** Runs `sources test`: sets exit code 1 when part of the body would be a dead letter. */
export async function runSourceTest(session: Session, options: TestOptions): Promise<void> {
  const { io } = session;
  if (io.config === undefined) throw new Error("this program has no server whose sources it could test");
  const { localSources } = await io.config();
  const body = parse(await readInput(options.file, io.stdin), options.file);
  const found = testSource(localSources({ file: options.config, env: io.env }), options.source, body);
  if (found.rejected.length > 0) session.exit(1);
  if (options.json) session.out.json(JSON.stringify(found));
  else print(session, found);
}
