import { constants, createReadStream } from "node:fs";
import { access, link, open, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import type pg from "pg";
import { verifyChain } from "../audit/index.ts";
import type { MoveReport } from "../contract/move.ts";
import { defaultDataDir } from "../db/embedded/server.ts";
import { dump, openClient } from "../db/export/dump.ts";
import { assertEmpty, restore } from "../db/export/restore.ts";
import { systemClock } from "../lib/clock.ts";
import { AwoooiError, messageOf } from "../lib/error.ts";
import { systemRandom } from "../lib/id.ts";
import type { Log } from "../lib/log.ts";
import { prepareWorkflows } from "../pipeline/index.ts";
import type { Config } from "./config/schema.ts";
import { lockServer, openDatabase, openServer } from "./database.ts";
import { VERSION } from "./version.ts";

export type MoveRequest = { config: Config; log: Log; file: string };

const STREAM = "-";
const total = (tables: Record<string, number>) => Object.values(tables).reduce((sum, rows) => sum + rows, 0);

/** Throws `not_found` if the data directory has no database: opening it would create an empty installation. */
async function assertThere(config: Config): Promise<void> {
  if (config.database.url !== undefined) return;
  const data_dir = config.data_dir ?? defaultDataDir();
  try {
    await access(join(data_dir, "postgres", "PG_VERSION"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
      throw new AwoooiError("invalid", `${data_dir} cannot be read: ${messageOf(error)}.`);
    }
    throw new AwoooiError(
      "not_found",
      `There is no installation in ${data_dir}: AWOOOI_DATA_DIR or --config names another one.`,
    );
  }
}

/**
 * Runs `work` with a connection to the database, starting PostgreSQL if no server runs on it. If one does
 * (`served`), it is left alone: reading a snapshot does not disturb it.
 */
async function besideServer<T>(
  { config, log }: MoveRequest,
  work: (client: pg.Client, served: boolean) => Promise<T>,
): Promise<T> {
  const server = await openServer(config, config.data_dir ?? defaultDataDir(), log);
  const lock = await lockServer(server, log, () => {}).catch((error: unknown) => {
    // Another process holds the lock; `lockServer` has left PostgreSQL running for it.
    if (error instanceof AwoooiError && error.code === "conflict") return null;
    throw error;
  });
  try {
    const client = await openClient(server.connection, "awoooi export");
    try {
      return await work(client, lock === null);
    } finally {
      await client.end().catch(() => {});
    }
  } finally {
    await lock?.release();
    if (lock !== null) await server.stop();
  }
}

/** Writes a temporary file and links it to `file` when complete. Throws `conflict` if `file` exists; returns its bytes. */
async function writeFile(file: string, write: (sink: Writable) => Promise<void>): Promise<number> {
  const taken = () => new AwoooiError("conflict", `${file} already exists: choose another name.`);
  const part = `${file}.part-${process.pid}`;
  try {
    if (await stat(file).catch(() => undefined)) throw taken();
    // Mode 0600: the export holds hashes of tokens and the content of alerts.
    const handle = await open(part, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    // The stream flushes the file to disk and closes the handle.
    await write(handle.createWriteStream({ flush: true }));
    await link(part, file);
    return (await stat(file)).size;
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" && syscall === "link") throw taken();
    if (error instanceof AwoooiError || syscall === undefined) throw error;
    throw new AwoooiError("invalid", `${file} cannot be written: ${messageOf(error)}.`, { cause: error });
  } finally {
    await rm(part, { force: true });
  }
}

/**
 * Exports a snapshot of the installation into a file, also while its server runs. Throws `not_found` without an
 * installation and `conflict` if the file exists; after an error no new file is left.
 */
export async function exportTo(
  move: MoveRequest,
  stdout: Writable & { isTTY?: boolean },
): Promise<MoveReport> {
  const { config, file } = move;
  if (file === STREAM && stdout.isTTY)
    throw new AwoooiError(
      "invalid",
      "Standard output is a terminal: name a file, or pass it on with a pipe.",
    );
  await assertThere(config);
  return besideServer(move, async (client, served) => {
    let tables: Record<string, number> = {};
    const text = dump(client, { version: VERSION, now: systemClock.now() }, (counts) => {
      tables = counts;
    });
    const write = (sink: Writable, end: boolean) =>
      pipeline(Readable.from(text), createGzip(), sink, { end });
    const bytes = file === STREAM ? null : await writeFile(file, (sink) => write(sink, true));
    if (file === STREAM) await write(stdout, false);
    return { file, rows: total(tables), tables, bytes, served, ledger: null };
  });
}

async function openInput(file: string, stdin: Readable): Promise<{ input: Readable; bytes: number | null }> {
  if (file === STREAM) return { input: stdin, bytes: null };
  try {
    const { size } = await stat(file);
    await access(file, constants.R_OK);
    return { input: createReadStream(file), bytes: size };
  } catch (error) {
    throw new AwoooiError("invalid", `${file} cannot be read: ${messageOf(error)}.`, { cause: error });
  }
}

/**
 * Imports an export into an empty database: all of it or nothing. No server may run meanwhile. Throws `invalid`
 * for an incomplete file and `conflict` for an existing installation or an export of another version.
 */
export async function importFrom(move: MoveRequest, stdin: Readable): Promise<MoveReport> {
  const { config, log, file } = move;
  const { input, bytes } = await openInput(file, stdin);
  // Checked before migrations and the engine's start, which would change an existing installation.
  const database = await openDatabase(
    config,
    log,
    () => {},
    async (connection) => {
      const client = await openClient(connection, "awoooi import");
      await assertEmpty(client).finally(() => client.end());
    },
  );
  try {
    await prepareWorkflows(database.workflowPool, log);
    const client = await openClient(database.connection, "awoooi import");
    const gunzip = createGunzip();
    // Errors of the file surface in `restore`, which reads from `gunzip`.
    gunzip.on("error", () => {});
    const reading = pipeline(input, gunzip).catch(() => {});
    try {
      const { tables } = await restore(client, gunzip);
      await reading;
      await client.query("analyze");
      const actor = { kind: "system", name: "bootstrap" } as const;
      const ctx = { db: database.db, actor, clock: systemClock, random: systemRandom, log };
      const ledger = await verifyChain(ctx);
      return { file, rows: total(tables), tables, bytes, served: false, ledger };
    } finally {
      gunzip.destroy();
      input.destroy();
      await client.end().catch(() => {});
    }
  } finally {
    await database.close();
  }
}
