import { statfs } from "node:fs/promises";
import { measureStorage } from "../db/storage.ts";
import type { HttpDeps } from "../http/index.ts";
import { wait } from "../lib/wait.ts";
import type { RetentionTerms } from "../pipeline/index.ts";
import type { Database } from "./database.ts";
import type { Retention } from "./retention.ts";

// Shorter than any client's timeout. A run that takes longer continues, and the report shows its result.
const PATIENCE_MS = 20_000;

/** Returns the retention time of each group in seconds; null, or a missing group: kept for ever. */
function keptFor(terms: RetentionTerms): Record<string, number | null> {
  const { receipts, alerts, notices, repairs, workflows, incidents, silences } = terms;
  const [timeline, approvals, executions] = [incidents, incidents, incidents];
  return {
    receipts,
    alerts,
    notices,
    repairs,
    workflows,
    incidents,
    timeline,
    approvals,
    executions,
    silences,
  };
}

async function freeBytes(database: Database): Promise<number | null> {
  if (!database.embedded) return null;
  const { bavail, bsize } = await statfs(database.data_dir);
  return bavail * bsize;
}

export function storagePort(
  database: Database,
  retention: Retention,
  terms: RetentionTerms,
): HttpDeps["storage"] {
  const kept = keptFor(terms);
  return {
    async report() {
      const { groups, database_bytes } = await measureStorage(database.pool);
      return {
        groups: groups.map(({ oldest, ...group }) => ({
          ...group,
          oldest: oldest?.toISOString() ?? null,
          kept_for: kept[group.name] ?? null,
        })),
        database_bytes,
        disk_free_bytes: await freeBytes(database),
        last_run: retention.last,
      };
    },
    async prune({ dry_run, asked_by }) {
      if (dry_run) return { dry_run, finished: true, rows: await retention.preview() };
      const run = retention.run(asked_by);
      const patience = new AbortController();
      const late = wait(PATIENCE_MS, patience.signal).then(() => null);
      try {
        await Promise.race([run, late]);
      } finally {
        patience.abort();
        // The caller has its answer; a later error of the run is in its report.
        run.catch(() => {});
      }
      return { dry_run, finished: retention.last?.finished ?? false, rows: retention.last?.deleted ?? {} };
    },
  };
}
