import type { Command } from "commander";
import { type PruneRun, pruneAnswer, type StorageReport, storageReport } from "../../contract/storage.ts";
import { urlPath } from "../../lib/url-path.ts";
import { parseAnswer, request } from "../client.ts";
import { addGroup, addSubcommand, type Session } from "../command.ts";
import { formatSpan, formatTime } from "../print.ts";

type Json = { json?: boolean };

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** Formats bytes as `812 B` or `1.4 MB`: powers of 1,000, as for disks. */
export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  for (; value >= 1_000 && unit < UNITS.length - 1; unit += 1) value /= 1_000;
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

const listed = (rows: Record<string, number>) =>
  Object.entries(rows)
    .map(([what, count]) => `${count} ${what.replaceAll("_", " ")}`)
    .join(", ") || "nothing";

function runText({ started_at, took_ms, finished, deleted, asked_by, error }: PruneRun): string {
  const by = asked_by === null ? "" : `, asked for by ${asked_by}`;
  const end = error === null ? (finished ? "" : ", not finished") : `, ended by an error: ${error}`;
  return `${formatTime(started_at)}, took ${formatSpan(took_ms)}${by}: deleted ${listed(deleted)}${end}`;
}

function print(session: Session, { groups, last_run, database_bytes, disk_free_bytes }: StorageReport): void {
  session.out.table(
    ["WHAT", "ROWS (ABOUT)", "ON DISK", "OLDEST", "KEPT FOR"],
    groups.map(({ name, rows, bytes: size, oldest, kept_for }) => [
      name,
      String(rows),
      bytes(size),
      formatTime(oldest),
      kept_for === null ? "ever" : formatSpan(kept_for * 1000),
    ]),
  );
  session.out.line();
  session.out.fields([
    ["database", bytes(database_bytes)],
    ...(disk_free_bytes === null ? [] : [["free on disk", bytes(disk_free_bytes)] as const]),
    ["last run", last_run === null ? "none yet" : runText(last_run)],
  ]);
}

async function show(session: Session, { json }: Json): Promise<void> {
  const answer = await request(session.server(), "GET", urlPath`/storage`);
  if (json) return session.out.json(answer.text);
  print(session, parseAnswer(storageReport, answer));
}

async function prune(session: Session, { json, dryRun }: Json & { dryRun?: boolean }): Promise<void> {
  const body = JSON.stringify({ dry_run: dryRun === true });
  const answer = await request(session.server(), "POST", urlPath`/storage/prune`, { body });
  if (json) return session.out.json(answer.text);
  const { dry_run, finished, rows } = parseAnswer(pruneAnswer, answer);
  session.out.line(`${dry_run ? "Would delete" : "Deleted"} ${listed(rows)}.`);
  if (!finished) session.out.line(session.out.asTyped("It continues; `awoooi storage` shows the result."));
}

export function addStorage(program: Command, session: Session): void {
  const storage = addGroup(program, "storage", "disk usage and retention");
  const summary = "show size, age and retention of what is stored";
  addSubcommand(storage, "show", summary, ["awoooi storage"], { isDefault: true }).action((options: Json) =>
    show(session, options),
  );
  addSubcommand(storage, "prune", "delete expired data now, before the next run", [
    "awoooi storage prune --dry-run",
    "awoooi storage prune",
  ])
    .option("--dry-run", "only print how much that is")
    .action((options: Json & { dryRun?: boolean }) => prune(session, options));
}
