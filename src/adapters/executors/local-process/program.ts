import { execFile } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, dirname, resolve } from "node:path";
import { promisify } from "node:util";
import type { Check } from "../../../contract/approval.ts";
import { shellQuoted } from "../../../lib/shell.ts";
import { childEnv } from "./child-env.ts";
import type { ProcessConfig } from "./config.ts";

const run = promisify(execFile);

const codeOf = (error: unknown) => String((error as NodeJS.ErrnoException).code ?? error);

/** Returns why the process's account may not execute `path` (enter it, for a folder), as the system itself answers. */
async function refusal(config: ProcessConfig, path: string): Promise<string | undefined> {
  const { uid, gid } = config;
  try {
    if (uid === undefined && gid === undefined) await access(path, constants.X_OK);
    else {
      const account = { ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }) };
      await run("test", ["-x", path], { cwd: "/", env: { PATH: "/usr/bin:/bin" }, ...account });
    }
    return undefined;
  } catch (error) {
    // `test` exits with 1 for "no".
    return codeOf(error) === "1" ? "EACCES" : codeOf(error);
  }
}

/** Returns the paths at which the system will look for the program, in order. */
function candidates(config: ProcessConfig): string[] {
  const [program = ""] = config.argv;
  const cwd = resolve(config.cwd ?? ".");
  if (program.includes("/")) return [resolve(cwd, program)];
  const path = childEnv(config).PATH ?? "/usr/bin:/bin";
  return path.split(delimiter).map((folder) => resolve(cwd, folder, program));
}

export async function checkProgram(config: ProcessConfig): Promise<Check> {
  const name = "program";
  let refused: string | undefined;
  for (const path of candidates(config)) {
    const isFile = await stat(path).then(
      (found) => found.isFile(),
      () => false,
    );
    const why = isFile ? await refusal(config, path) : "ENOENT";
    if (why === undefined) return { name, passed: true, message: path };
    if (isFile) refused ??= `${path} cannot be executed (${why})`;
  }
  const [program = ""] = config.argv;
  const where = program.includes("/") ? "" : " along PATH";
  return { name, passed: false, message: refused ?? `${program} was not found${where} (ENOENT)` };
}

/** Returns why the program is missing or not executable, with the PATH searched; undefined: it was found. */
export function missingProgram(config: ProcessConfig): string | undefined {
  const paths = candidates(config);
  const [program = ""] = config.argv;
  const files = paths.filter(isFile);
  const name = program.includes("/") ? paths[0] : program;
  const along = program.includes("/")
    ? ""
    : ` along PATH, which is ${childEnv(config).PATH ?? "not set"} here`;
  if (files.length === 0) return `${name} was not found${along}`;
  // The rights of another account are checked at the start.
  const asked = config.uid === undefined && config.gid === undefined;
  if (!asked || files.some(isExecutable)) return undefined;
  return `${files[0]} cannot be executed: chmod +x ${shellQuoted(files[0] ?? "")}`;
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export async function checkFolder(config: ProcessConfig): Promise<Check> {
  const name = "working directory";
  // Staying in the server's own folder needs no permission.
  if (config.cwd === undefined) return { name, passed: true, message: `${resolve(".")}, the server's own` };
  const path = resolve(config.cwd);
  const code = await stat(path).then(
    (found) => (found.isDirectory() ? refusal(config, path) : "ENOTDIR"),
    (error: unknown) => codeOf(error),
  );
  if (code === undefined) return { name, passed: true, message: path };
  return { name, passed: false, message: `${path} cannot be used (${code})` };
}

const writable = (folder: string): Promise<string | undefined> =>
  access(folder, constants.W_OK | constants.X_OK).then(() => undefined, codeOf);

/** Checks that the process file and the log can be written; the folder itself is created on demand. */
export async function checkStateFolder(stateDir: string): Promise<Check> {
  const name = "state folder";
  for (let folder = resolve(stateDir); ; folder = dirname(folder)) {
    const code = await stat(folder).then(
      (found) => (found.isDirectory() ? writable(folder) : "ENOTDIR"),
      (error: unknown) => codeOf(error),
    );
    if (code === undefined) return { name, passed: true, message: `${stateDir} can be written` };
    if (code !== "ENOENT" || folder === dirname(folder)) {
      return { name, passed: false, message: `${folder} cannot be written (${code})` };
    }
  }
}
