import { createInterface } from "node:readline/promises";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { programWords } from "../src/cli/index.ts";
import type { Approval } from "../src/contract/approval.ts";
import type { TimelineEvent } from "../src/contract/incident.ts";
import { Api } from "./api.ts";
import { cardLines } from "./card.ts";
import { SERVICE, type Stage, shopAnswers, startStage } from "./stage.ts";
import { storm } from "./storm.ts";

const HELP = `npm run demo [-- --auto] [--exit] [--storm]

Starts AWOOOI and a small web shop that it supervises, breaks the shop, and prints what happens.
  --auto   sign the repair through the API, as a demo approver, instead of asking you
  --exit   end after the demo; the exit code is 0 only if the repair worked
  --storm  another demo: 10,000 alerts at once, and the incidents from them
`;

const LOOK_MS = 150;
const LONGEST_STORY_MS = 15 * 60_000;

/** What a line of the timeline is called here, by its kind and text; the first that fits. */
const LABELS: [RegExp, string][] = [
  [/^alert/, "received"],
  [/^decision: (Seen|Found|Nothing found)/, "evidence"],
  [/^decision/, "decided"],
  [/^approval: Signed/, "signed"],
  [/^approval/, "approval"],
  [/^execution: Dry-run/, "dry-run"],
  [/^execution: Recorded/, "snapshot"],
  [/^execution: Done/, "repaired"],
  [/^execution/, "executed"],
  [/^status: Resolved/, "resolved"],
];

const print = (line = "") => process.stdout.write(`${line}\n`);
const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`;

/** Prints what happened, each line with the time since the shop broke. */
class DemoLog {
  readonly #begin = Date.now();
  readonly #times = new Map<string, number>();

  tell(what: string, text: string, at = Date.now()): void {
    if (!this.#times.has(what)) this.#times.set(what, at);
    print(`${`+${seconds(Math.max(at - this.#begin, 0))}`.padStart(8)}  ${what.padEnd(9)}  ${text}`);
  }

  event({ kind, text, data, at, actor }: TimelineEvent): void {
    const time = Date.parse(at);
    const label = LABELS.find(([pattern]) => pattern.test(`${kind}: ${text}`))?.[1];
    if (kind === "verification") this.verification(data, text, time);
    else this.tell(label ?? kind, label === undefined ? `${text} (${actor})` : text, time);
    if (kind === "decision" && typeof data.because === "string") {
      const { reason } = data.policy as { reason?: string };
      this.tell("", `why: ${data.because}. ${data.reasoning}`, time);
      this.tell("", `who: ${reason}`, time);
    }
  }

  verification(data: Record<string, unknown>, text: string, at: number): void {
    type Observed = { facts: { name: string; passed: boolean; message: string }[] } | null;
    const { before, after } = data.evidence as { before: Observed; after: Observed };
    const facts = (seen: Observed) =>
      seen?.facts.map((fact) => `${fact.passed ? "✓" : "✗"} ${fact.name}: ${fact.message}`).join(", ");
    this.tell("verified", text, at);
    this.tell("", `before: ${facts(before) ?? "not seen"}`, at);
    this.tell("", `after:  ${facts(after) ?? "not seen"}`, at);
  }

  /** How long each part took. */
  summary(): void {
    const parts: [string, string, string][] = [
      ["noticed and received", "broken", "received"],
      ["decided", "received", "decided"],
      ["repaired", "signed", "repaired"],
      ["verified and resolved", "repaired", "resolved"],
    ];
    const known = parts.flatMap(([name, from, to]) => {
      const [start, end] = [this.#times.get(from), this.#times.get(to)];
      return start === undefined || end === undefined ? [] : [`${name} ${seconds(Math.max(end - start, 0))}`];
    });
    print();
    print(`          took       ${known.join(", ")}`);
  }
}

/** How to start the program where the demo was started. */
const PROGRAM = programWords(fileURLToPath(new URL("../bin/awoooi.js", import.meta.url)), {
  env: process.env,
  cwd: process.cwd(),
});

/** Asks at the terminal; ends without an answer when the approval was decided elsewhere meanwhile. */
async function ask(signal: AbortSignal): Promise<boolean | undefined> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  terminal.on("SIGINT", () => {
    process.emit("SIGINT");
  });
  try {
    for (;;) {
      const answer = (await terminal.question("    Sign this plan? [y/n] ", { signal })).trim().toLowerCase();
      if (/^(y|yes)$/.test(answer)) return true;
      if (/^(n|no)$/.test(answer)) return false;
    }
  } catch {
    return undefined;
  } finally {
    terminal.close();
  }
}

async function decide(approval: Approval, api: Api, stage: Stage, auto: boolean): Promise<void> {
  const asked = auto ? "demo" : process.stdin.isTTY ? "here" : "elsewhere";
  print();
  for (const line of cardLines(approval, asked, { ...stage, program: PROGRAM })) print(`    ${line}`);
  print();
  if (auto) {
    const approver = new Api(stage.url, await api.createToken("demo approver", "approver"));
    await approver.approve(approval, "automatic demo");
    return;
  }
  if (!process.stdin.isTTY) {
    print("    This is not a terminal: sign as shown above, or use --auto.");
    return;
  }
  const elsewhere = new AbortController();
  const watch = (async () => {
    while (!elsewhere.signal.aborted) {
      await delay(LOOK_MS, undefined, { signal: elsewhere.signal }).catch(() => {});
      if ((await api.pendingApproval(approval.incident_id)) === undefined) elsewhere.abort();
    }
  })();
  const answer = await ask(elsewhere.signal);
  elsewhere.abort();
  await watch;
  if (answer === true) await api.approve(approval, "signed at the demo's terminal");
  if (answer === false) await api.reject(approval, "not signed at the demo's terminal");
}

/** Follows the incident until it is over, asking for the signature when it is wanted. */
async function follow(
  api: Api,
  stage: Stage,
  story: DemoLog,
  auto: boolean,
  signal: AbortSignal,
): Promise<void> {
  const end = Date.now() + LONGEST_STORY_MS;
  let seen = 0;
  let incident_id: string | undefined;
  let asked = false;
  while (!signal.aborted && Date.now() < end) {
    const incident = incident_id === undefined ? await api.newestIncident() : await api.incident(incident_id);
    if (incident !== undefined) {
      incident_id = incident.incident_id;
      for (const event of await api.timeline(incident_id, seen)) {
        story.event(event);
        if (seen === 0)
          story.tell(
            "incident",
            `${incident_id} ${incident.severity}: ${incident.title}`,
            Date.parse(event.at),
          );
        seen = event.seq;
        if (event.text.startsWith("Back to people") || event.text.startsWith("Rejected")) return;
      }
      if (incident.status === "resolved") return;
      const approval = asked ? undefined : await api.pendingApproval(incident_id);
      if (approval !== undefined) {
        asked = true;
        await decide(approval, api, stage, auto);
      }
    }
    await delay(LOOK_MS, undefined, { signal }).catch(() => {});
  }
}

/** Breaks the shop under the eyes of the server and follows what comes of it; true when the shop answers again. */
async function play(stage: Stage, auto: boolean, signal: AbortSignal): Promise<boolean> {
  const api = new Api(stage.url, stage.adminToken);
  print(`AWOOOI runs at ${stage.url}, and ${SERVICE}, which it supervises, at ${stage.shop}.`);
  print("The shop answers. Now it hangs, as services do: it stops answering while its process runs on.");
  print();
  const story = new DemoLog();
  const broken = await fetch(`${stage.shop}/break`, { method: "POST" });
  await broken.body?.cancel();
  story.tell("broken", `${SERVICE} has stopped answering`);
  await follow(api, stage, story, auto, signal);
  if (signal.aborted) return false;
  const healed = await shopAnswers(stage.shop);
  story.summary();
  print();
  print(healed ? `${SERVICE} answers again.` : `${SERVICE} does not answer.`);
  return healed;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      auto: { type: "boolean", default: false },
      exit: { type: "boolean", default: false },
      storm: { type: "boolean", default: false },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    print(HELP);
    return 0;
  }
  const interrupted = new AbortController();
  process.once("SIGINT", () => interrupted.abort()).once("SIGTERM", () => interrupted.abort());
  print("Starting a database, a server and a small web shop…");
  const stage = await startStage();
  try {
    const well = values.storm
      ? await storm(new Api(stage.url, stage.adminToken), stage, interrupted.signal)
      : await play(stage, values.auto, interrupted.signal);
    if (values.exit || interrupted.signal.aborted) return well ? 0 : 1;
    print(
      `Look around: export AWOOOI_URL=${stage.url} AWOOOI_TOKEN=${stage.adminToken}; ${PROGRAM} incidents ls`,
    );
    print("Ctrl-C stops everything and cleans up.");
    await new Promise<void>((resolve) => {
      // A listener alone does not keep a process alive.
      const alive = setInterval(() => {}, 60_000);
      interrupted.signal.addEventListener("abort", () => {
        clearInterval(alive);
        resolve();
      });
    });
    return well ? 0 : 1;
  } finally {
    print("Cleaning up…");
    await stage.clear();
  }
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`The demo failed: ${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
});
