import { constants, copyFile, type FileHandle, open, stat, truncate } from "node:fs/promises";
import type { Account } from "./account.ts";

const LOG_BYTES = 10 * 1024 * 1024;

/** Opens PostgreSQL's log for appending, owned by `account`. The caller closes the handle. */
export async function openLog(file: string, account: Account | undefined): Promise<FileHandle> {
  await boundLog(file);
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
  const handle = await open(file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
  if (account !== undefined) await handle.chown(account.uid, account.gid);
  return handle;
}

/** Empties a log of more than 10 MB after copying it to `<file>.1`. The server, which appends, can go on writing. */
export async function boundLog(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined || found.size <= LOG_BYTES) return;
  // Logs grow when the disk is full: then the copy fails, and the old content is given up.
  await copyFile(file, `${file}.1`).catch(() => undefined);
  await truncate(file);
}

export async function logSize(file: string): Promise<number> {
  return (await stat(file).catch(() => undefined))?.size ?? 0;
}

/** Returns at most the last 2 kB of what was written from byte `from` on; empty if the log cannot be read. */
export async function logTail(file: string, from = 0): Promise<string> {
  try {
    const handle = await open(file, "r");
    try {
      const { size } = await handle.stat();
      const start = Math.max(from > size ? 0 : from, size - 2048);
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
      return buffer.toString("utf8", 0, bytesRead).trim();
    } finally {
      await handle.close();
    }
  } catch {
    return "";
  }
}
