import { accessSync, constants, existsSync, realpathSync } from "node:fs";
import { delimiter, dirname, join, relative, sep } from "node:path";
import { shellQuoted } from "../lib/shell.ts";

const NAME = "awoooi";

const realOf = (path: string): string | null => {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
};

/** Matches folders that npm adds to the PATH of what it starts: a person's shell does not have them. */
const ofNpm = (folder: string) => /[\\/](node_modules[\\/]\.bin|node-gyp-bin)$/.test(folder);

/** Returns whether the first `awoooi` on the PATH is this program. */
function isOnPath(entry: string, path: string): boolean {
  const folders = path.split(delimiter).filter((folder) => folder !== "" && !ofNpm(folder));
  const first = folders.map((folder) => join(folder, NAME)).find(existsSync);
  return first !== undefined && realOf(first) === entry;
}

/** Returns whether `npx awoooi` in `folder` runs this program: npx looks into the nearest project above. */
function isOfProject(entry: string, folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, "package.json")) || existsSync(join(at, "node_modules")))
      return (
        realOf(join(at, "bin", `${NAME}.js`)) === entry ||
        realOf(join(at, "node_modules/.bin", NAME)) === entry
      );
    if (at === dirname(at)) return false;
  }
}

function byPath(entry: string, folder: string): string {
  const near = relative(folder, entry);
  const path = shellQuoted(near.startsWith("..") ? entry : `.${sep}${near}`);
  try {
    accessSync(entry, constants.X_OK);
    return path;
  } catch {
    return `node ${path}`;
  }
}

/**
 * Returns how a person starts this program from their folder, for commands to copy: `awoooi` if that is this program,
 * else `npx awoooi`, else its path. `entry` is the file that starts it.
 */
export function programWords(
  entry: string,
  { env, cwd }: { env: Readonly<Record<string, string | undefined>>; cwd: string },
): string {
  const real = realOf(entry) ?? entry;
  if (isOnPath(real, env.PATH ?? "")) return NAME;
  // npm runs scripts in the package's folder and has the caller's in INIT_CWD; npx keeps fetched packages in _npx.
  const folder = realOf(env.INIT_CWD ?? cwd) ?? cwd;
  if (real.includes(`${sep}_npx${sep}`) || isOfProject(real, folder)) return `npx ${NAME}`;
  return byPath(real, folder);
}
