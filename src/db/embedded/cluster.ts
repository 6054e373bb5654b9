import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  constants,
  lchown,
  link,
  mkdir,
  mkdtemp,
  open,
  readFile,
  realpath,
  rename,
  rm,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { sha256 } from "../../lib/canonical-json.ts";
import { AwoooiError, messageOf } from "../../lib/error.ts";
import {
  type Account,
  assertReachable,
  blockingFolder,
  makeFolder,
  ROOT_DATA_DIR,
  serverAccount,
  spawnAs,
} from "./account.ts";
import { type Binaries, findBinaries, inspect, removeSiblings } from "./binaries.ts";

/** Everything about a data directory that its server does not change while it lives. */
export type Cluster = {
  /** PostgreSQL's own data folder, a real path. */
  dir: string;
  socketDir: string;
  logFile: string;
  password: string;
  account: Account | undefined;
  binaries: Binaries;
};

/** Name of the database and of its owner. */
export const NAME = "awoooi";
export const PORT = 5432;

/** Stands in for what is found on the machine; for tests. */
export type BinariesOption = { dir?: string; packageDir?: string; copyTo?: string };

/** The environment of PostgreSQL's programs: nothing of ours, which may hold secrets, reaches them. */
export const SERVER_ENV = { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };

// Parallel workers need /dev/shm, of which a container has 64 MB, and gain nothing on queries this small.
// The log takes errors without the statement and its values.
const SETTINGS = `
# From AWOOOI, once; edit as you like.
max_connections = 100
shared_buffers = 128MB
max_wal_size = 512MB
jit = off
max_parallel_workers_per_gather = 0
max_parallel_maintenance_workers = 0
log_checkpoints = off
log_min_error_statement = panic
log_error_verbosity = terse
`;

/** Makes `dataDir` ready to be served: folders, password, an initialised cluster. Safe to run twice at once. */
export async function openCluster(dataDir: string, option: BinariesOption = {}): Promise<Cluster> {
  const { folder, account } = await openDataDir(resolve(dataDir));
  const dir = join(folder, "postgres");
  const version = await clusterVersion(dir);
  const binaries =
    option.dir === undefined
      ? await findBinaries({
          account,
          copyTo: option.copyTo ?? (account === undefined ? folder : ROOT_DATA_DIR),
          major: version,
          packageDir: option.packageDir,
        })
      : await inspect(option.dir);
  if (version !== undefined && version !== binaries.major) {
    throw new AwoooiError(
      "conflict",
      `The database in ${dir} was made by PostgreSQL ${version} and cannot be opened by PostgreSQL ` +
        `${binaries.major}. Dump it with the pg_dump of version ${version} and restore it into a new data ` +
        "directory, or set DATABASE_URL to a PostgreSQL that serves it.",
    );
  }
  const password = await readPassword(join(folder, "postgres.password"), version === undefined);
  const cluster = { dir, password, account, binaries, logFile: join(folder, "postgres.log") };
  if (version === undefined) await initialise(cluster);
  await removeSiblings(folder, "postgres.new-");
  return { ...cluster, socketDir: await chooseSocketDir(folder, account) };
}

async function openDataDir(wanted: string): Promise<{ folder: string; account: Account | undefined }> {
  const account = await serverAccount(join(wanted, "postgres"));
  await assertReachable(wanted, account);
  try {
    await makeFolder(wanted, account);
  } catch (error) {
    throw new AwoooiError(
      "invalid",
      `The data directory ${wanted} cannot be created (${messageOf(error)}): choose another one, or set ` +
        "DATABASE_URL to a PostgreSQL of your own.",
      { cause: error },
    );
  }
  const folder = await realpath(wanted);
  await assertReachable(folder, account);
  return { folder, account };
}

/** The major version that made the cluster in `dir`; `undefined` if there is none yet. */
async function clusterVersion(dir: string): Promise<number | undefined> {
  const text = await unlessMissing(readFile(join(dir, "PG_VERSION"), "utf8"));
  return text === undefined ? undefined : Number.parseInt(text, 10);
}

/** The password in `file`. The first of several starts to write it wins; it is never half there. */
async function readPassword(file: string, mayCreate: boolean): Promise<string> {
  const existing = await unlessMissing(readFile(file, "utf8"));
  if (existing !== undefined) return existing;
  if (!mayCreate) {
    throw new AwoooiError("conflict", `The password of the database is missing: bring ${file} back.`);
  }
  const temporary = `${file}.new-${randomBytes(6).toString("hex")}`;
  await writeFile(temporary, randomBytes(24).toString("base64url"), { mode: 0o600, flag: "wx", flush: true });
  try {
    await link(temporary, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  return readFile(file, "utf8");
}

type Uninitialised = Omit<Cluster, "socketDir">;

// Everything happens in a folder of its own, which then gets the cluster's name in one step: whoever
// sees the cluster sees it whole, with database and password.
async function initialise(cluster: Uninitialised): Promise<void> {
  const temporary = await mkdtemp(`${cluster.dir}.new-`);
  const made = join(temporary, "data");
  try {
    const passwordFile = join(temporary, "password");
    await writeFile(passwordFile, cluster.password, { mode: 0o600, flag: "wx" });
    const { account } = cluster;
    for (const path of [passwordFile, temporary]) {
      if (account !== undefined) await lchown(path, account.uid, account.gid);
    }
    await runInitdb(cluster, made, passwordFile);
    // Written by the server's account: as root we do not write where somebody else could place a link.
    const append = ["-c", 'cat >> "$1" && sync "$1"', "sh", join(made, "postgresql.conf")];
    await runProgram(cluster, "/bin/sh", append, SETTINGS);
    const single = ["--single", "-D", made, "-c", "log_min_messages=error", "postgres"];
    await runProgram(cluster, join(cluster.binaries.dir, "postgres"), single, `CREATE DATABASE ${NAME}\n`);
    await rename(made, cluster.dir);
    await syncFolder(dirname(cluster.dir));
  } catch (error) {
    // Another start may have been quicker; then it has also removed our unfinished folder.
    if ((await clusterVersion(cluster.dir)) === undefined) throw error;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

// Order by bytes, which no update of the C library changes under an index; letters of all languages for
// lower() and pg_trgm where the system knows them.
async function runInitdb(cluster: Uninitialised, made: string, passwordFile: string): Promise<void> {
  const options = ["-D", made, "-U", NAME, `--pwfile=${passwordFile}`, "--encoding=UTF8", "--locale=C"];
  options.push("--data-checksums", "--auth-local=scram-sha-256", "--auth-host=scram-sha-256");
  const initdb = join(cluster.binaries.dir, "initdb");
  try {
    await runProgram(cluster, initdb, [...options, "--lc-ctype=C.UTF-8"]);
  } catch (error) {
    if (!/invalid locale/.test(messageOf(error))) throw error;
    await runProgram(cluster, initdb, options);
  }
}

async function runProgram(cluster: Uninitialised, path: string, args: string[], input = ""): Promise<void> {
  const problem = await new Promise<string | undefined>((done) => {
    const options = { cwd: "/", env: SERVER_ENV, ...spawnAs(cluster.account) };
    const child = execFile(path, args, options, (error, _, stderr) =>
      done(error === null ? undefined : stderr.trim() || error.message),
    );
    // A program that ends without reading its input is reported by how it ended.
    child.stdin?.on("error", () => undefined).end(input);
  });
  if (problem === undefined) return;
  if (problem.includes("could not look up effective user ID")) {
    throw new AwoooiError(
      "unavailable",
      `PostgreSQL cannot create a database as uid ${cluster.account?.uid ?? process.getuid?.()}, which has no ` +
        "name on this machine: add a line for it to /etc/passwd, run as another user, or set DATABASE_URL.",
    );
  }
  throw new AwoooiError("unavailable", `The database could not be created: ${path} says: ${problem}`);
}

/**
 * The socket's folder: inside the data directory, or elsewhere with a short name where the path would
 * exceed what the system takes (107 bytes) or libpq would read it as a list.
 */
async function chooseSocketDir(folder: string, account: Account | undefined): Promise<string> {
  const short = `awoooi-${sha256(folder).slice(0, 16)}`;
  const temporary = await realpath(tmpdir()).catch(() => "/tmp");
  for (const dir of [join(folder, "socket"), join(temporary, short), join("/tmp", short)]) {
    if (Buffer.byteLength(`${dir}/.s.PGSQL.${PORT}`) > 107 || dir.includes(",")) continue;
    if (account !== undefined && (await blockingFolder(dirname(dir), account)) !== undefined) continue;
    return dir;
  }
  throw new AwoooiError(
    "invalid",
    `The path of the data directory ${folder} is too long for a socket: choose a shorter one.`,
  );
}

/** Makes `dir`, unless it is there, so that only the server's account (and root) enters it. */
export async function openPrivateDir(dir: string, account: Account | undefined): Promise<void> {
  await mkdir(dir, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
  const handle = await open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW).catch(() => undefined);
  try {
    const owner = (await handle?.stat())?.uid;
    // Under /tmp anyone may have made it first, and would then be asked for our password.
    if (handle === undefined || (owner !== process.getuid?.() && owner !== account?.uid)) {
      throw new AwoooiError(
        "conflict",
        `The folder ${dir} for the database's socket belongs to somebody else: remove it.`,
      );
    }
    await handle.chmod(0o700);
    if (account !== undefined) await handle.chown(account.uid, account.gid);
  } finally {
    await handle?.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  await handle.sync();
  await handle.close();
}

async function unlessMissing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
