import { chmod, mkdir, readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { AwoooiError } from "../../lib/error.ts";

/** The account that PostgreSQL runs as when it is not that of this process. `uid` and `gid` are unsigned, never 0. */
export type Account = { uid: number; gid: number; name: string };

export const ROOT_DATA_DIR = "/var/lib/awoooi";

const NOBODY: Account = { uid: 65534, gid: 65534, name: "nobody" };

/** Returns the options of `spawn` for an account; none for `undefined`, our own account. */
export function spawnAs(account: Account | undefined): { uid?: number; gid?: number } {
  // macOS numbers the account `nobody` -2: stat and chown use it unsigned, spawn signed.
  return account === undefined ? {} : { uid: account.uid | 0, gid: account.gid | 0 };
}

/**
 * Returns the account for the server of `clusterDir`: `undefined` (that of this process) unless this is root, as
 * which PostgreSQL refuses to run. An existing cluster keeps its owner, else its files could not be read.
 */
export async function serverAccount(clusterDir: string): Promise<Account | undefined> {
  const own = process.getuid?.();
  const owner = await stat(clusterDir).catch(() => undefined);
  if (own !== 0) {
    if (owner === undefined || own === undefined || owner.uid === own) return undefined;
    throw new AwoooiError(
      "invalid",
      `The database in ${clusterDir} belongs to another user (uid ${owner.uid}, this process has uid ${own}): ` +
        "start as that user or as root, choose another data directory, or set DATABASE_URL.",
    );
  }
  if (owner !== undefined && owner.uid !== 0) {
    return { uid: owner.uid, gid: owner.gid === 0 ? owner.uid : owner.gid, name: `uid ${owner.uid}` };
  }
  return nobodyAccount(await readFile("/etc/passwd", "utf8").catch(() => ""));
}

/** Returns the account `nobody` from the text of an `/etc/passwd`; uid and gid 65534 if it has none. */
export function nobodyAccount(passwd: string): Account {
  const fields = /^nobody:.*$/m.exec(passwd)?.[0].split(":") ?? [];
  const [uid, gid] = [Number(fields[2]) >>> 0, Number(fields[3]) >>> 0];
  return uid > 0 && gid > 0 ? { uid, gid, name: "nobody" } : NOBODY;
}

/** Returns the topmost folder on the path to `folder`, itself included, that `account` may not enter. */
export async function blockingFolder(
  folder: string,
  account: Account,
): Promise<{ folder: string; mode: number } | undefined> {
  const parent = dirname(folder);
  const above = parent === folder ? undefined : await blockingFolder(parent, account);
  if (above !== undefined) return above;
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined) return undefined;
  const bit = found.uid === account.uid ? 0o100 : found.gid === account.gid ? 0o010 : 0o001;
  return (found.mode & bit) === 0 ? { folder, mode: found.mode & 0o777 } : undefined;
}

/** Throws `invalid` if `account` cannot reach `folder`, saying what to choose instead. */
export async function assertReachable(folder: string, account: Account | undefined): Promise<void> {
  const blocking = account && (await blockingFolder(folder, account));
  if (blocking === undefined) return;
  const instead = folder === ROOT_DATA_DIR ? "" : `choose ${ROOT_DATA_DIR} as the data directory, `;
  throw new AwoooiError(
    "invalid",
    `The data directory ${folder} cannot be used: PostgreSQL refuses to run as root and so runs as ` +
      `${account?.name} (uid ${account?.uid}), whom the folder ${blocking.folder} ` +
      `(mode 0${blocking.mode.toString(8)}) denies access. Either ${instead}` +
      `run "chmod o+x ${blocking.folder}", or set DATABASE_URL to a PostgreSQL of your own.`,
  );
}

/** Creates `folder` and its missing parents: mode 0700, or 0711 if another account must pass through. */
export async function makeFolder(folder: string, account: Account | undefined): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: account === undefined ? 0o700 : 0o711 });
  if (first === undefined || account === undefined) return;
  // The umask may have removed the execute bit.
  for (let made = folder; ; made = dirname(made)) {
    await chmod(made, 0o711);
    if (made === first || made === dirname(made)) return;
  }
}
