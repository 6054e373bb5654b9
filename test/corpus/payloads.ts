import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { localSources } from "../../src/app/index.ts";
import { type SourceTest, testSource } from "../../src/cli/commands/sources-test.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { type Server, startServer } from "../support/server.ts";
import type { Measure } from "./measure.ts";
import { type Expected, expectedOf } from "./payload-rules.ts";

type Local = ReturnType<typeof localSources>;
type Payload = { file: string; vendor: string; body: unknown };

const MAPS = new URL("payload-maps.yaml", import.meta.url);
// Whose bodies another's adapter reads.
// Of Prometheus there are single alerts, which it sends to Alertmanager in lists.
const AS: Record<string, string> = { goalert: "alertmanager", prometheus: "alertmanager" };
const PATHS: Record<string, string> = {
  sentry: "sentry/error",
  pagerduty: "pagerduty/v2/enqueue",
  generic: "alerts",
};

async function payloadsIn(folder: string): Promise<Payload[]> {
  const dir = join(folder, "payloads");
  const files = (await readdir(dir)).filter((file) => file.endsWith(".json") && file !== "INDEX.json").sort();
  return Promise.all(
    files.map(async (file) => ({
      file,
      // PagerDuty's own webhooks were another thing than its events, and are gone.
      vendor: /^(pagerduty-v1|[^-]+)/.exec(file)?.[0] ?? "",
      body: JSON.parse(await readFile(join(dir, file), "utf8")) as unknown,
    })),
  );
}

/** The source that a vendor's users would send to; undefined where there is none. */
function sourceOf({ sources }: Local, { vendor, body }: Payload): string | undefined {
  // A collection of scenarios, in the shape of whoever is played.
  const shape =
    vendor === "opensre" && Array.isArray((body as { alerts?: unknown }).alerts) ? "alertmanager" : vendor;
  const wanted = AS[shape] ?? shape;
  return [wanted, `custom:${wanted}`].find((id) => sources.some((source) => source.id === id));
}

/** What of a body came out otherwise than the rules say, in words. */
function differences(found: SourceTest, expected: readonly Expected[]): string[] {
  if (found.alerts.length !== expected.length)
    return [`alerts: ${found.alerts.length}, expected ${expected.length} (${found.rejected.join("; ")})`];
  return found.alerts.flatMap((alert, index) => {
    const want = expected[index] as Expected;
    const near = (one: string) => one === alert.target || one.startsWith(`${alert.target}-`);
    return [
      ...(alert.status === want.status ? [] : [`status: ${alert.status}, expected ${want.status}`]),
      ...(alert.severity === want.severity ? [] : [`severity: ${alert.severity}, expected ${want.severity}`]),
      ...(want.targets.some(near) || want.targets.length === 0
        ? []
        : [`target: ${alert.target}, expected one of ${want.targets.slice(0, 4).join(", ")}`]),
    ];
  });
}

type Stored = { alert_id: string; status: string; severity: string | null; target_resource: string };

/** What the server made of a body otherwise than the same code did here. */
async function sent(server: Server, found: SourceTest, body: unknown): Promise<string[]> {
  const { source } = found;
  const path = source.startsWith("custom:") ? source.replace(":", "/") : (PATHS[source] ?? source);
  const response = await fetch(`${server.url}/api/v1/webhooks/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (response.status >= 300) return [`answered ${response.status}: ${text.slice(0, 200)}`];
  const { results } = JSON.parse(text) as { results?: { alert_id: string; incident_id: string | null }[] };
  // Vendors that are answered in their own form.
  if (results === undefined) return [];
  if (results.length !== found.alerts.length) return [`the server counts ${results.length} alerts`];
  const told: string[] = [];
  for (const [index, { alert_id, incident_id }] of results.entries()) {
    const alert = found.alerts[index];
    if (incident_id === null || alert === undefined) continue;
    const { items } = await server.admin.get<{ items: Stored[] }>(`/incidents/${incident_id}/alerts`);
    const stored = items.find((one) => one.alert_id === alert_id);
    const same = stored?.severity === alert.severity && stored.target_resource === alert.target;
    if (!same) told.push(`stored as ${JSON.stringify(stored)?.slice(0, 200)}`);
  }
  return told;
}

function report(
  rows: readonly { payload: Payload; source: string | undefined; wrong: string[] }[],
  verbose: boolean,
): void {
  const read = rows.filter(({ source }) => source !== undefined);
  const right = read.filter(({ wrong }) => wrong.length === 0);
  console.log(
    `payloads: ${rows.length} bodies, ${read.length} with a source, ${right.length} as the rules say`,
  );
  for (const { payload, source, wrong } of rows) {
    if (source !== undefined && wrong.length === 0 && !verbose) continue;
    console.log(`  ${payload.file.padEnd(60)} ${source ?? "no source"}`);
    for (const line of new Set(wrong)) console.log(`      ${line}`);
  }
  console.log(`
  What is expected of a body is found without knowing its vendor: as many alerts as its list \`alerts\` has, else one; over
  where a field like status, state or action says so; the severity of the word in a field like severity, priority or level;
  the target is the value of a field that names a thing (deployment, pod, instance, host, …), else the alert's name.`);
}

/** What vendors' real bodies come to, here and on a real server, beside what simple rules say of them. */
export const payloads: Measure = async (folder, { verbose }) => {
  const own = await temporaryFolder("payloads");
  const intake = { custom: parse(await readFile(MAPS, "utf8")) as object[], answer_wait: "2m" };
  const server = await startServer(own, { server: { port: 0 }, intake, notification: { terminal: false } });
  try {
    const local = localSources({ file: join(own, "awoooi.yaml"), env: {} });
    const rows = [];
    for (const payload of await payloadsIn(folder)) {
      const source = sourceOf(local, payload);
      const found = source === undefined ? undefined : testSource(local, source, payload.body);
      const wrong =
        found === undefined
          ? []
          : [
              ...differences(found, expectedOf(payload.body, payload.vendor)),
              ...(await sent(server, found, payload.body)),
            ];
      rows.push({ payload, source, wrong });
    }
    report(rows, verbose);
  } finally {
    await server.stop();
    await clearFolder(own);
  }
};
