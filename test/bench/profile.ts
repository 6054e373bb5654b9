import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startBench, WEBHOOK } from "./awoooi.ts";
import { fixed, print, table } from "./report.ts";
import { load } from "./wrk.ts";

const SECONDS = 8;

type Frame = { id: number; callFrame: { functionName: string; url: string } };
type Profile = { nodes: Frame[]; samples: number[]; timeDeltas: number[] };

/** What a function's own time is spent for; the first that fits. */
const PARTS: readonly [string, RegExp][] = [
  ["waiting", /^\(idle\)/],
  ["loading the program", /node:internal\/modules|amaro|^\(root\)|compileSourceTextModule|wasm:/],
  ["garbage collection", /^\(garbage collector\)/],
  ["reading and writing JSON", /^parse |jsonRows/],
  ["writing to sockets", /^(writev|writeUtf8String|writeBuffer|writeLatin1String) /],
  [
    "Node's HTTP and streams",
    /node:(_http|net|internal\/streams|internal\/stream_base|events|internal\/http)/,
  ],
  [
    "Fastify and its plugins",
    /node_modules\/(@fastify|fastify|find-my-way|helmet|avvio|toad-cache|secure-json)/,
  ],
  ["pg and Drizzle", /node_modules\/(pg|drizzle)/],
  ["zod", /node_modules\/zod/],
  ["metrics and log", /node_modules\/(prom-client|pino)|src\/app\/(metrics|log)/],
  ["our own code", /\/src\//],
  ["everything else", /./],
];

const partOf = ({ callFrame: { functionName, url } }: Frame) =>
  PARTS.find(([, pattern]) => pattern.test(`${functionName} ${url}`))?.[0] ?? "everything else";

async function profileIn(folder: string): Promise<Profile> {
  for (const name of await readdir(folder)) {
    const profile = JSON.parse(await readFile(join(folder, name), "utf8")) as Profile;
    // The launcher of the runtime leaves one of its own.
    if (profile.nodes.some((node) => node.callFrame.url.endsWith("/src/app/app.ts"))) return profile;
  }
  throw new Error("the server has left no profile");
}

/** Milliseconds of the main thread by what they were spent for. */
function spent({ nodes, samples, timeDeltas }: Profile): Map<string, number> {
  const parts = new Map(nodes.map((node) => [node.id, partOf(node)]));
  const sums = new Map<string, number>();
  samples.forEach((id, index) => {
    const part = parts.get(id) ?? "everything else";
    sums.set(part, (sums.get(part) ?? 0) + (timeDeltas[index] ?? 0) / 1000);
  });
  return sums;
}

/** Where the server's main thread spends its time while it takes alerts in and makes incidents of them. */
export async function profile(): Promise<void> {
  for (const batch of [1, 64]) {
    const folder = await mkdtemp(join(tmpdir(), "awoooi-profile-"));
    try {
      const bench = await startBench({}, `--cpu-prof --cpu-prof-dir=${folder}`);
      const url = `${bench.server.url}/api/v1/webhooks/alertmanager`;
      const sent = {
        url,
        headers: {},
        shape: WEBHOOK,
        batch,
        instances: 5_000,
        seconds: SECONDS,
        connections: 128,
      };
      const { accepted } = await load(sent);
      await bench.drained();
      await bench.close();
      const sums = spent(await profileIn(folder));
      sums.delete("loading the program");
      const whole = [...sums.values()].reduce((sum, one) => sum + one, 0);
      print(`\n${batch} in a body: ${fixed(accepted * batch)} alerts, to the end`);
      const rows = [...sums].sort(([, a], [, b]) => b - a);
      table(
        ["main thread", "share", "µs/alert"],
        rows.map(([name, ms]) => [
          name,
          `${fixed((ms / whole) * 100, 1)} %`,
          fixed((ms * 1000) / (accepted * batch), 1),
        ]),
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}
