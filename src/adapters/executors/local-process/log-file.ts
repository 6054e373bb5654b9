import { constants, type FileHandle, mkdir, open, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { clipStart } from "../../../lib/clip.ts";
import { messageOf } from "../../../lib/error.ts";
import { plainText } from "../../../lib/plain-text.ts";
import { redactText } from "../../../lib/redact.ts";
import type { Supervised } from "./supervised.ts";

const LOG_LIMIT = 10 * 1024 * 1024;
const CHUNK = 1024 * 1024;

const sizeOf = (file: string): Promise<number> =>
  stat(file).then(
    ({ size }) => size,
    () => 0,
  );

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } = constants;

/**
 * Opens a file that the process may have replaced by a pipe, whose opening would block for ever, or by a link to another
 * file. Throws for both.
 */
async function openOrdinary(file: string, flags: number): Promise<FileHandle> {
  const opened = await open(file, flags | O_NOFOLLOW | O_NONBLOCK, 0o600);
  if ((await opened.stat()).isFile()) return opened;
  await opened.close();
  throw new Error(`${file} is not a regular file`);
}

/** Opens the log for appending; one above 10 MiB is first renamed to `.1`, the one generation that is kept. */
export async function openLog(file: string): Promise<FileHandle> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  if ((await sizeOf(file)) > LOG_LIMIT) await rename(file, `${file}.1`);
  return openOrdinary(file, O_WRONLY | O_APPEND | O_CREAT);
}

/** Copies `from` from an offset on, including what is written meanwhile, up to twice `LOG_LIMIT`. */
async function copyEnd(from: FileHandle, to: FileHandle, offset: number): Promise<void> {
  const chunk = Buffer.alloc(CHUNK);
  for (let at = offset; at < offset + 2 * LOG_LIMIT; ) {
    const { bytesRead } = await from.read(chunk, 0, chunk.length, at);
    if (bytesRead === 0) return;
    await to.write(chunk, 0, bytesRead);
    at += bytesRead;
  }
}

async function keepEnd(file: string, log: FileHandle, size: number): Promise<void> {
  const kept = await openOrdinary(`${file}.1`, O_WRONLY | O_CREAT | O_TRUNC);
  try {
    await copyEnd(log, kept, Math.max(0, size - LOG_LIMIT));
  } finally {
    await kept.close();
  }
}

/** Cuts a log above 10 MiB; returns fields for the log message, or null when it is small enough. */
async function cut(file: string): Promise<object | null> {
  if ((await sizeOf(file)) <= LOG_LIMIT) return null;
  const log = await openOrdinary(file, O_RDWR);
  try {
    const { size, blocks } = await log.stat();
    // If the process does not append, its file begins with a hole after a cut, which takes no space.
    if (Math.min(size, blocks * 512) <= LOG_LIMIT) return null;
    // Cut even when the copy fails, as on a full disk.
    const lost = await keepEnd(file, log, size).then(() => undefined, messageOf);
    await log.truncate(0);
    return { size, ...(lost === undefined ? {} : { lost }) };
  } finally {
    await log.close();
  }
}

// Processes for which this was logged: once each, not at every check.
const told = new WeakSet<Supervised>();

/**
 * Bounds the log of a running process: copies its last 10 MiB to `.1` and truncates it. The process appends, so its next
 * line goes to the beginning. What it writes between copy and truncation is lost, as with logrotate's `copytruncate`.
 * Never throws.
 */
export async function boundLog(one: Supervised): Promise<void> {
  const { logFile: file, config } = one;
  const done = await cut(file).catch((error: unknown) => ({ error: messageOf(error) }));
  if (done === null || told.has(one)) return;
  told.add(one);
  const what =
    "error" in done ? "cannot be truncated" : "has grown past 10 MiB, and is truncated from now on";
  one.log.warn({ process: config.name, file, ...done }, `the log of process ${config.name} ${what}`);
}

/** Returns the last `most` characters written after `offset`, redacted and without control characters. */
export async function tail(
  file: string,
  { offset = 0, most }: { offset?: number; most: number },
): Promise<string> {
  const handle = await openOrdinary(file, O_RDONLY);
  try {
    const { size } = await handle.stat();
    // If the file is shorter than the offset, it was cut since: read from its beginning.
    const from = Math.max(offset > size ? 0 : offset, size - 4 * most);
    const buffer = Buffer.alloc(Math.max(size - from, 0));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, from);
    // Redact before clipping: half a credential would not be recognised.
    return clipStart(redactText(plainText(buffer.toString("utf8", 0, bytesRead))), most, "");
  } finally {
    await handle.close();
  }
}
