import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A temporary folder that the database's own user can reach too. */
export async function temporaryFolder(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `awoooi-${name}-`));
  await chmod(folder, 0o755);
  return folder;
}

/**
 * Ends the database that a killed server has left in `folder`, and removes the folder, after `before` where
 * something of it must be let go first.
 */
export async function clearFolder(folder: string, before = async () => {}): Promise<void> {
  const file = join(folder, "data/postgres/postmaster.pid");
  const pid = Number((await readFile(file, "utf8").catch(() => "")).split("\n")[0]);
  if (pid > 0) {
    try {
      process.kill(pid, "SIGQUIT");
    } catch {
      // Gone already.
    }
  }
  await before();
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}
