import { setTimeout as delay } from "node:timers/promises";
import type { Incident } from "../src/contract/incident.ts";
import type { Api } from "./api.ts";
import type { Stage } from "./stage.ts";

const ALERTS = 10_000;
const WORKLOADS = 10;
const BODY = 20;
const SENDERS = 8;
const LOOK_MS = 250;

/** What fires for each of the workloads, and with which severity: 50 different troubles. */
const TROUBLES = [
  ["KubePodCrashLooping", "critical", "is crash looping"],
  ["HighMemoryUsage", "warning", "has nearly used up its memory"],
  ["HighCPUUsage", "warning", "keeps its CPU busy"],
  ["HTTPLatencyP99High", "warning", "takes 4 s for its slowest requests"],
  ["HTTPErrorRateHigh", "critical", "fails 8 % of its requests"],
] as const;
const FINGERPRINTS = TROUBLES.length * WORKLOADS;

const print = (line = "") => process.stdout.write(`${line}\n`);
const number = (value: number) => value.toLocaleString("en");
const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`;

function alert(n: number, startsAt: string) {
  const [alertname, severity, summary] = TROUBLES[n % TROUBLES.length] ?? TROUBLES[0];
  const deployment = `shop-${Math.floor(n / TROUBLES.length) % WORKLOADS}`;
  const pod = `${deployment}-${n.toString(36).padStart(5, "0")}`;
  return {
    status: "firing",
    labels: { alertname, severity, namespace: "shop", deployment, pod },
    annotations: { summary: `${deployment} ${summary}` },
    startsAt,
  };
}

type Progress = { acknowledged: number; sentAgain: number };

/** Sends everything as fast as it is taken, and again what was refused, as Alertmanager does. */
async function send(webhook: string, progress: Progress, signal: AbortSignal): Promise<void> {
  const startsAt = new Date().toISOString();
  let next = 0;
  const sender = async () => {
    while (next < ALERTS && !signal.aborted) {
      const first = next;
      next += BODY;
      const alerts = Array.from({ length: BODY }, (_, n) => alert(first + n, startsAt));
      const body = JSON.stringify({ version: "4", status: "firing", alerts });
      for (;;) {
        const answer = await fetch(webhook, {
          method: "POST",
          body,
          headers: { "content-type": "application/json" },
          signal,
        });
        await answer.body?.cancel();
        if (answer.ok) break;
        progress.sentAgain += 1;
      }
      progress.acknowledged += BODY;
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
}

/** `main` are those that people decide about: the others are their effects. */
type StormState = { alerts: number; incidents: Incident[]; main: Incident[]; decisions: number };

async function look(api: Api): Promise<StormState> {
  const incidents = await api.incidents();
  const main = incidents.filter((one) => one.merged_into === null);
  return {
    incidents,
    main,
    alerts: incidents.reduce((sum, one) => sum + one.hit_count, 0),
    decisions: main.filter((one) => one.decision !== null).length,
  };
}

function live(began: number, { acknowledged }: Progress, { alerts, main, decisions }: StormState): string {
  const width = 30;
  const done = Math.floor((alerts / ALERTS) * width);
  const bar = "█".repeat(done) + "░".repeat(width - done);
  const time = seconds(performance.now() - began).padStart(7);
  return `${time}  ${bar}  ${number(acknowledged).padStart(6)} on disk, ${number(alerts).padStart(6)} processed → ${main.length} incidents, ${decisions} decisions`;
}

function summary(took: number, progress: Progress, { main, decisions }: StormState): void {
  print();
  print(
    `${number(ALERTS)} alerts in ${seconds(took)}: ${number(Math.round(ALERTS / (took / 1000)))} a second, each on disk before it was acknowledged.`,
  );
  print(
    `They are ${FINGERPRINTS} faults in ${main.length} incidents with ${decisions} decisions, not ${number(ALERTS)} notifications.`,
  );
  if (progress.sentAgain > 0) print(`${progress.sentAgain} calls were refused at first, and sent again.`);
  print();
  const worst = [...main].sort((a, b) => (a.severity < b.severity ? -1 : 1)).slice(0, 5);
  for (const { severity, hit_count, title, decision } of worst) {
    print(
      `  ${severity}  ${String(hit_count).padStart(4)} ×  ${title.padEnd(48)}  ${decision?.summary.split(":")[0] ?? ""}`,
    );
  }
  print(`  …and ${main.length - worst.length} more`);
  print();
}

/** A storm of alerts, live; true when each trouble is an incident or the effect of one that is decided about. */
export async function storm(api: Api, stage: Stage, signal: AbortSignal): Promise<boolean> {
  print(
    `AWOOOI runs at ${stage.url}. Now everything fires at once: ${number(ALERTS)} alerts about ${FINGERPRINTS} faults.`,
  );
  print();
  const progress: Progress = { acknowledged: 0, sentAgain: 0 };
  const began = performance.now();
  const sending = send(`${stage.url}/api/v1/webhooks/alertmanager`, progress, signal);
  // Its failure is met below, where it is awaited.
  sending.catch(() => {});
  const redraw = process.stdout.isTTY;
  let seen = await look(api);
  while (seen.alerts < ALERTS && !signal.aborted) {
    await Promise.race([delay(LOOK_MS), sending]);
    seen = await look(api);
    process.stdout.write(redraw ? `\r${live(began, progress, seen)}` : `${live(began, progress, seen)}\n`);
    if (progress.acknowledged === ALERTS) await delay(LOOK_MS);
  }
  if (redraw) print();
  await sending;
  if (signal.aborted) return false;
  summary(performance.now() - began, progress, seen);
  return seen.incidents.length === FINGERPRINTS && seen.decisions === seen.main.length;
}
