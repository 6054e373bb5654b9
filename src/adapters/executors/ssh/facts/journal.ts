import type { Host } from "../connection/host.ts";
import type { ReadResult } from "./units.ts";

/** Size of the systemd journal in bytes, and the folder of its files. */
export type Journal = { bytes: number; dir: string };

// As journald itself: the persistent journal if its folder exists, else the volatile one.
const SCRIPT =
  'for dir in /var/log/journal /run/log/journal; do [ -d $dir ] && break; done; echo $dir; exec "$@" journalctl --disk-usage';
const FACTORS: Record<string, number> = { B: 0, K: 1, M: 2, G: 3, T: 4, P: 5 };

/** Parses the script's output: the folder, then `… take up 3.9G in the file system.` Pure. */
export function parseJournal(text: string): Journal | undefined {
  const dir = /^\/\S+$/m.exec(text)?.[0];
  const [, number, unit = ""] = /take up ([\d.]+)([BKMGTP])/.exec(text) ?? [];
  const factor = FACTORS[unit];
  if (dir === undefined || number === undefined || factor === undefined) return undefined;
  return { bytes: Math.round(Number(number) * 1024 ** factor), dir };
}

export async function readJournal(host: Host, signal?: AbortSignal): Promise<ReadResult<Journal>> {
  const [root = "env", ...more] = host.config.sudo ? ["sudo", "-n", "--"] : [];
  const argv = ["sh", "-c", SCRIPT, "sh", root, ...more] as const;
  const looked = await host.look(argv, { signal });
  if (!looked.ok) return looked;
  const value = parseJournal(looked.stdout);
  return value === undefined
    ? { ok: false, message: "the output of journalctl --disk-usage could not be parsed" }
    : { ok: true, value };
}
