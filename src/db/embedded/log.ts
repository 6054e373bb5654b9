import { constants, copyFile, type FileHandle, open, stat, truncate } from "node:fs/promises";
import type { Account } from "./account.ts";

const LOG_BYTES = 10 * 1024 * 1024;

/** Opens the server's log for it to write to. The caller closes the handle. */
export async function openLog(file: string, account: Account | undefined): Promise<FileHandle> {
  await boundLog(file);
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
  const handle = await open(file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
  if (account !== undefined) await handle.chown(account.uid, account.gid);
  return handle;
}

/** Empties a log over 10 MB, keeping its content in `<file>.1`; its writer appends and goes on. */
export async function boundLog(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined || found.size <= LOG_BYTES) return;
  // A full disk is where logs grow: then the old content is what we do without.
  await copyFile(file, `${file}.1`).catch(() => undefined);
  await truncate(file);
}

export async function logSize(file: string): Promise<number> {
  return (await stat(file).catch(() => undefined))?.size ?? 0;
}

/** The last 2 kB, or less: only what was written from byte `from` on. Empty where nothing can be read. */
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
