import { realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import type { ProcessConfig } from "./config.ts";

// The only variables of the server that are passed on, so that none of its secrets is.
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

/** Returns where npm may link programs of this package's dependencies: `node_modules/.bin` here and in every parent. */
function ownBins(): Set<string> {
  const found = new Set<string>();
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    found.add(join(folder, "node_modules", ".bin"));
    if (folder === dirname(folder)) return found;
  }
}

/** Counts the folders that npm, npx or pnpm put before a PATH: `.bin` folders, ending with that of node-gyp. */
function putBefore(folders: readonly string[]): number {
  const end = folders.findIndex((one) => !BIN.test(one) && !GYP.test(one));
  const run = end === -1 ? folders : folders.slice(0, end);
  const gyp = run.findLastIndex((one) => GYP.test(one));
  return gyp === -1 ? run.length : gyp + 1;
}

/**
 * Returns the PATH of the user who started the server: without the folders that npm put before it, and without this
 * package's own programs, `node` among them. `underNpm`: the environment has npm's variables.
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

/** Marks by which a process is recognised later: the installation and execution that started it. */
export type Origin = { installation: string; execution_id: string | null };

/** Returns the whole environment of a supervised process. */
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
