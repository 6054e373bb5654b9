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
 * Opens a file that a process may have replaced: by a pipe, whose opening would wait for ever, or by a link to what is none of
 * its own. Throws for both.
 */
async function openOrdinary(file: string, flags: number): Promise<FileHandle> {
  const opened = await open(file, flags | O_NOFOLLOW | O_NONBLOCK, 0o600);
  if ((await opened.stat()).isFile()) return opened;
  await opened.close();
  throw new Error(`${file} is no ordinary file`);
}

/** Opens the log to append to; one that has grown long becomes the one generation that is kept. */
export async function openLog(file: string): Promise<FileHandle> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  if ((await sizeOf(file)) > LOG_LIMIT) await rename(file, `${file}.1`);
  return openOrdinary(file, O_WRONLY | O_APPEND | O_CREAT);
}

/** Copies what is in `from` from an offset on, with what is written meanwhile, up to the limit. */
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

/** Cuts a log that has grown long; returns what there is to say of it. */
async function cut(file: string): Promise<object | null> {
  if ((await sizeOf(file)) <= LOG_LIMIT) return null;
  const log = await openOrdinary(file, O_RDWR);
  try {
    const { size, blocks } = await log.stat();
    // Of one that does not append, and so has a hole at its beginning, the hole takes no room.
    if (Math.min(size, blocks * 512) <= LOG_LIMIT) return null;
    // A full disk is no reason to let it grow.
    const lost = await keepEnd(file, log, size).then(() => undefined, messageOf);
    await log.truncate(0);
    return { size, ...(lost === undefined ? {} : { lost }) };
  } finally {
    await log.close();
  }
}

// Said once of each, and not each second.
const told = new WeakSet<Supervised>();

/**
 * Bounds the log of a process that runs: its last 10 MiB become the one generation that is kept, and it begins anew. The process
 * appends, so that it goes on at the beginning. What it writes between copy and cut is lost, as with logrotate's
 * `copytruncate`. Never throws.
 */
export async function boundLog(one: Supervised): Promise<void> {
  const { logFile: file, config } = one;
  const done = await cut(file).catch((error: unknown) => ({ error: messageOf(error) }));
  if (done === null || told.has(one)) return;
  told.add(one);
  const what = "error" in done ? "cannot be cut" : "has grown past 10 MiB, and is cut from now on";
  one.log.warn({ process: config.name, file, ...done }, `the log of process ${config.name} ${what}`);
}

/** The last `most` characters of what was written after `offset`, as it can be shown. */
export async function tail(
  file: string,
  { offset = 0, most }: { offset?: number; most: number },
): Promise<string> {
  const handle = await openOrdinary(file, O_RDONLY);
  try {
    const { size } = await handle.stat();
    // It may have been cut since.
    const from = Math.max(offset > size ? 0 : offset, size - 4 * most);
    const buffer = Buffer.alloc(Math.max(size - from, 0));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, from);
    // Before it is cut: half a credential is not known for one.
    return clipStart(redactText(plainText(buffer.toString("utf8", 0, bytesRead))), most, "");
  } finally {
    await handle.close();
  }
}
