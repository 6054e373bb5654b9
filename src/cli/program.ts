import { accessSync, constants, existsSync, realpathSync } from "node:fs";
import { delimiter, dirname, join, relative, sep } from "node:path";
import { quoted } from "../lib/shell.ts";

const NAME = "awoooi";

const realOf = (path: string): string | null => {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
};

/** npm puts its own folders onto the path of what it starts: a person's shell does not have them. */
const ofNpm = (folder: string) => /[\\/](node_modules[\\/]\.bin|node-gyp-bin)$/.test(folder);

/** Whether the first such program of the path is this one. */
function isOnPath(entry: string, path: string): boolean {
  const folders = path.split(delimiter).filter((folder) => folder !== "" && !ofNpm(folder));
  const first = folders.map((folder) => join(folder, NAME)).find(existsSync);
  return first !== undefined && realOf(first) === entry;
}

/** Whether npx, asked for the name in `folder`, runs this one: it looks into the next project above. */
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
  const path = quoted(near.startsWith("..") ? entry : `.${sep}${near}`);
  try {
    accessSync(entry, constants.X_OK);
    return path;
  } catch {
    return `node ${path}`;
  }
}

/**
 * How a person starts this program from where they stand, for commands that they copy: `awoooi` when that is it,
 * else by npx, else its path. `entry` is the file that starts it.
 */
export function programWords(
  entry: string,
  { env, cwd }: { env: Readonly<Record<string, string | undefined>>; cwd: string },
): string {
  const real = realOf(entry) ?? entry;
  if (isOnPath(real, env.PATH ?? "")) return NAME;
  // A script of npm runs in the package's folder, whoever called it from where; npx keeps what it fetched in _npx.
  const folder = realOf(env.INIT_CWD ?? cwd) ?? cwd;
  if (real.includes(`${sep}_npx${sep}`) || isOfProject(real, folder)) return `npx ${NAME}`;
  return byPath(real, folder);
}
