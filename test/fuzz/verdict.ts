import type { Server } from "../support/server.ts";
import type { Figures } from "./run.ts";

const MEGABYTE = 1024 * 1024;
/** What the memory may grow by in the second half, when every cache is full and every path has been gone. */
const GROWTH = { rss: 96 * MEGABYTE, heap: 24 * MEGABYTE };
/** Bytes of log for a request, on average: a line for each that a stranger sends would fill a disk. */
const LOG_BYTES = 20;
const LOG_START = 20_000;

/** What is wrong after a run; empty when all is well. */
export async function verdict(server: Server, figures: Figures): Promise<string[]> {
  const wrong = Object.entries(figures.wrong).map(([what, example]) => `${what}\n    ${example}`);
  wrong.push(...figures.canaries);
  const [, , middle, , end] = figures.memory;
  for (const kind of ["rss", "heap"] as const) {
    const grown = (end?.[kind] ?? 0) - (middle?.[kind] ?? 0);
    if (grown > GROWTH[kind]) wrong.push(`${kind} grew by ${megabytes(grown)} in the second half`);
  }
  if (figures.log_bytes > LOG_START + LOG_BYTES * figures.requests)
    wrong.push(`${figures.log_bytes} bytes of log for ${figures.requests} requests`);
  if (server.exited()) return [...wrong, `the server has ended: ${server.output().slice(-2_000)}`];
  const ready = await server.admin.call("GET", "/health/ready");
  if (ready.status !== 200) wrong.push(`afterwards it is not ready: ${JSON.stringify(ready.body)}`);
  const { broken_at } = await server.admin.get<{ broken_at: number | null }>("/audit/verify");
  if (broken_at !== null) wrong.push(`the audit chain breaks at ${broken_at}`);
  return wrong;
}

const megabytes = (bytes: number) => `${Math.round(bytes / MEGABYTE)} MB`;

/** The figures of a run, for people. */
export function describe(figures: Figures): string {
  const { seed, requests, seconds, routes, statuses, memory, log_bytes } = figures;
  const classes: Record<string, number> = {};
  for (const [status, n] of Object.entries(statuses)) {
    const name = /^\d/.test(status) ? `${status[0]}xx` : status;
    classes[name] = (classes[name] ?? 0) + n;
  }
  const list = (counts: Record<string, number>) =>
    Object.entries(counts)
      .map(([name, n]) => `${name} ${n}`)
      .join(", ");
  return [
    `seed ${seed}: ${requests} requests in ${seconds.toFixed(0)} s, ${Math.round(requests / seconds)} a second`,
    `  answers: ${list(classes)} (${list(statuses)})`,
    `  memory at the start and after each quarter: rss ${memory.map((at) => megabytes(at.rss)).join(", ")};` +
      ` heap ${memory.map((at) => megabytes(at.heap)).join(", ")}`,
    `  log: ${log_bytes} bytes`,
    ...Object.entries(routes).map(([route, n]) => `  ${String(n).padStart(6)}  ${route}`),
  ].join("\n");
}
