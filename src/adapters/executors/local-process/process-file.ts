import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { wireTime } from "../../../contract/common.ts";

/** The record of a started process. */
const processRecord = z.object({
  // Signalling group 0 or 1 would reach the server itself or every process.
  pid: z.number().int().min(2),
  start_time: z.string().min(1),
  execution_id: z.string().nullable(),
  started_at: wireTime,
  argv_hash: z.string(),
  /** Hash of everything it was started with; null in records from before this was stored. */
  launch_hash: z.string().nullable().default(null),
  /** Id of the boot that `start_time` counts from, where the system has one. */
  boot: z.string().nullable().default(null),
});
export type ProcessRecord = z.infer<typeof processRecord>;

/** Reads the record in `file`; undefined when there is none, `invalid` when it is damaged. */
export async function readRecord(file: string): Promise<ProcessRecord | undefined | "invalid"> {
  try {
    return processRecord.parse(JSON.parse(await readFile(file, "utf8")));
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    if (error instanceof SyntaxError || error instanceof z.ZodError) return "invalid";
    throw error;
  }
}

/** Writes the record atomically, also against power failure; readable by its owner only. */
export async function writeRecord(file: string, record: ProcessRecord): Promise<void> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const temporary = join(folder, `.${basename(file)}.${randomBytes(6).toString("hex")}`);
  try {
    await write(temporary, `${JSON.stringify(record)}\n`);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  const directory = await open(folder, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function write(file: string, text: string): Promise<void> {
  const handle = await open(file, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
