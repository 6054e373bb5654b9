import { realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import type { ProcessConfig } from "./config.ts";

// No setting of ours is read here: these four are handed on, and nothing else, secrets least of all.
const HANDED_ON = ["PATH", "HOME", "LANG", "TZ"];

const BIN = /[\\/]node_modules[\\/]\.bin[\\/]?$/;
const GYP = /[\\/]node-gyp-bin[\\/]?$/;

function realPath(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}

/** Where npm links the programs of this package's dependencies: beside it, or in a folder around it. */
function ownBins(): Set<string> {
  const found = new Set<string>();
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    found.add(join(folder, "node_modules", ".bin"));
    if (folder === dirname(folder)) return found;
  }
}

/** How many folders npm, npx or pnpm put before a PATH: links of programs, and one for node-gyp as the last. */
function putBefore(folders: readonly string[]): number {
  const end = folders.findIndex((one) => !BIN.test(one) && !GYP.test(one));
  const run = end === -1 ? folders : folders.slice(0, end);
  const gyp = run.findLastIndex((one) => GYP.test(one));
  return gyp === -1 ? run.length : gyp + 1;
}

/**
 * PATH as whoever started the server had it: without what npm put before it, and without the programs that come with this
 * package, `node` among them. `underNpm`: npm says so in the environment.
 */
export function machinePath(path: string, underNpm: boolean): string {
  const folders = path.split(delimiter);
  const own = ownBins();
  return folders
    .slice(underNpm ? putBefore(folders) : 0)
    .filter((one) => !BIN.test(one) || !own.has(realPath(one)))
    .join(delimiter);
}

function handedOn(name: string): string | undefined {
  const value = process.env[name];
  if (name !== "PATH" || value === undefined) return value;
  const { npm_execpath, npm_config_user_agent } = process.env;
  return machinePath(value, (npm_execpath ?? npm_config_user_agent) !== undefined);
}

/** What a process is known by later: who has started it, in which execution. */
export type Origin = { installation: string; execution_id: string | null };

/** The whole environment of a supervised process. */
export function childEnv(config: ProcessConfig, origin?: Origin): Record<string, string> {
  const { installation, execution_id = null } = origin ?? {};
  const ours = HANDED_ON.flatMap((name) => {
    const value = handedOn(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(ours),
    ...config.env,
    AWOOOI_PROCESS: config.name,
    ...(installation === undefined ? {} : { AWOOOI_INSTALLATION: installation }),
    ...(execution_id === null ? {} : { AWOOOI_EXECUTION_ID: execution_id }),
  };
}
