import { chmod, mkdir, readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { AwoooiError } from "../../lib/error.ts";

/** Whom PostgreSQL runs as when that is not us. `uid` and `gid` are unsigned, never 0. */
export type Account = { uid: number; gid: number; name: string };

export const ROOT_DATA_DIR = "/var/lib/awoooi";

const NOBODY: Account = { uid: 65534, gid: 65534, name: "nobody" };

/** What `spawn` takes: our own account for `undefined`. */
export function spawnAs(account: Account | undefined): { uid?: number; gid?: number } {
  // macOS numbers nobody -2: unsigned in what stat and chown speak, signed in what spawn takes.
  return account === undefined ? {} : { uid: account.uid | 0, gid: account.gid | 0 };
}

/**
 * The account for the server of `clusterDir`: `undefined` (ourselves) unless we are root, which
 * PostgreSQL refuses. An existing cluster keeps its owner, else its files could not be read.
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
  return nobody(await readFile("/etc/passwd", "utf8").catch(() => ""));
}

/** `nobody` of the text of an `/etc/passwd`; 65534 where it has none. */
export function nobody(passwd: string): Account {
  const fields = /^nobody:.*$/m.exec(passwd)?.[0].split(":") ?? [];
  const [uid, gid] = [Number(fields[2]) >>> 0, Number(fields[3]) >>> 0];
  return uid > 0 && gid > 0 ? { uid, gid, name: "nobody" } : NOBODY;
}

/** The topmost folder on the way to and including `folder` that `account` may not pass. */
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

/** Throws the sentence that says why `folder` cannot hold the data, and what to choose. */
export async function assertReachable(folder: string, account: Account | undefined): Promise<void> {
  const blocking = account && (await blockingFolder(folder, account));
  if (blocking === undefined) return;
  const instead = folder === ROOT_DATA_DIR ? "" : `choose ${ROOT_DATA_DIR} as the data directory, `;
  throw new AwoooiError(
    "invalid",
    `The data directory ${folder} cannot be used: PostgreSQL refuses to run as root and so runs as ` +
      `${account?.name} (uid ${account?.uid}), which the folder ${blocking.folder} ` +
      `(mode 0${blocking.mode.toString(8)}) does not let pass. Either ${instead}` +
      `run "chmod o+x ${blocking.folder}", or set DATABASE_URL to a PostgreSQL of your own.`,
  );
}

/** Creates `folder` and what is missing above it: private, or for an account passable without reading. */
export async function makeFolder(folder: string, account: Account | undefined): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: account === undefined ? 0o700 : 0o711 });
  if (first === undefined || account === undefined) return;
  // The umask may have taken the bit away.
  for (let made = folder; ; made = dirname(made)) {
    await chmod(made, 0o711);
    if (made === first || made === dirname(made)) return;
  }
}
