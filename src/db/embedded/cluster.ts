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
import { type Binaries, findBinaries, inspectBinaries, removeSiblings } from "./binaries.ts";

/** The properties of a data directory that do not change while its server runs. */
export type Cluster = {
  /** PostgreSQL's own data folder, a real path. */
  dir: string;
  socketDir: string;
  logFile: string;
  password: string;
  account: Account | undefined;
  binaries: Binaries;
};

/** The name of the database and of the role that owns it. */
export const NAME = "awoooi";
export const PORT = 5432;

/** Overrides the PostgreSQL that is found on the machine; for tests. */
export type BinariesOption = { dir?: string; packageDir?: string; copyTo?: string };

/** The whole environment of PostgreSQL's programs: ours is not passed on, as it may hold secrets. */
export const SERVER_ENV = { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };

// Parallel workers need /dev/shm, of which a container has 64 MB, and gain nothing for queries this small.
// Errors are logged without the statement and its values.
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

/** Prepares `dataDir` for its server: folders, password, an initialised cluster. Safe to run concurrently. */
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
      : await inspectBinaries(option.dir);
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

/** Returns the major version of the cluster in `dir`; `undefined` if there is no cluster yet. */
async function clusterVersion(dir: string): Promise<number | undefined> {
  const text = await unlessMissing(readFile(join(dir, "PG_VERSION"), "utf8"));
  return text === undefined ? undefined : Number.parseInt(text, 10);
}

/** Reads the password in `file`, creating it if allowed. Of concurrent starts the first one's counts; the file appears whole. */
async function readPassword(file: string, mayCreate: boolean): Promise<string> {
  const existing = await unlessMissing(readFile(file, "utf8"));
  if (existing !== undefined) return existing;
  if (!mayCreate) {
    throw new AwoooiError("conflict", `The password of the database is missing: restore ${file}.`);
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

// The cluster is made in a temporary folder and renamed at the end, so that other processes only ever see
// a complete one, with database and password.
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
    // Written by the server's account: root must not write where another account could place a symbolic link.
    const append = ["-c", 'cat >> "$1" && sync "$1"', "sh", join(made, "postgresql.conf")];
    await runProgram(cluster, "/bin/sh", append, SETTINGS);
    const single = ["--single", "-D", made, "-c", "log_min_messages=error", "postgres"];
    await runProgram(cluster, join(cluster.binaries.dir, "postgres"), single, `CREATE DATABASE ${NAME}\n`);
    await rename(made, cluster.dir);
    await syncFolder(dirname(cluster.dir));
  } catch (error) {
    // A concurrent start may have finished first; it has then also removed our unfinished folder.
    if ((await clusterVersion(cluster.dir)) === undefined) throw error;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

// Collation by bytes: an update of the C library cannot change the order under an index. LC_CTYPE is C.UTF-8 where
// the system has it, so that lower() and pg_trgm know the letters of all languages.
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
    // If the program ends without reading its input, the callback above reports how it ended.
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
 * Returns the socket's folder: in the data directory, or a short one in a temporary directory if the socket's path
 * would exceed the system's limit of 107 bytes or contains a comma, which libpq reads as a list.
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

/** Creates `dir` if it is missing, with access for the server's account only. Throws `conflict` if another account owns it. */
export async function openPrivateDir(dir: string, account: Account | undefined): Promise<void> {
  await mkdir(dir, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
  const handle = await open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW).catch(() => undefined);
  try {
    const owner = (await handle?.stat())?.uid;
    // In /tmp another account may have created it first: its server would then be sent our password.
    if (handle === undefined || (owner !== process.getuid?.() && owner !== account?.uid)) {
      throw new AwoooiError(
        "conflict",
        `The folder ${dir} for the database's socket belongs to another user: remove it.`,
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
