import { open, writeFile } from "node:fs/promises";
import { stringify } from "yaml";
import { AwoooiError, messageOf } from "../../../lib/error.ts";
import { counted } from "../../../lib/words.ts";
import type { Session } from "../../command.ts";
import { readInput } from "../../io.ts";

import { convertAlertmanager, type Imported } from "./convert.ts";

// An export is compressed and begins with these two bytes.
const GZIP = [0x1f, 0x8b];

/** Returns whether a file is Alertmanager's configuration: no gzip, and YAML by its name or by its first 64 KiB. */
export async function isAlertmanagers(path: string): Promise<boolean> {
  const head = Buffer.alloc(64 * 1024);
  try {
    await using file = await open(path);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    if (GZIP.every((byte, index) => head[index] === byte)) return false;
    const text = head.subarray(0, bytesRead).toString("utf8");
    return /\.ya?ml$/i.test(path) || /^["']?(route|receivers)["']?\s*:/m.test(text);
  } catch {
    // The error is reported when the file is read for the import.
    return /\.ya?ml$/i.test(path);
  }
}

const HEAD = (path: string, check: string) =>
  ` Made of ${path}. Merge it into awoooi.yaml, then run: ${check}\n The import lists what it could not convert.`;

async function write(file: string, text: string): Promise<void> {
  try {
    // The operator may later put secret addresses into it.
    await writeFile(file, text, { flag: "wx", mode: 0o600 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") throw new AwoooiError("conflict", `${file} already exists: choose another name.`);
    throw new AwoooiError("invalid", `${file} cannot be written: ${messageOf(error)}.`);
  }
}

function printRemarks(to: Session["out"], remarks: Imported["remarks"]): void {
  for (const { path, line, message } of remarks)
    to.line(`${line === null ? "" : `line ${line}: `}${path}: ${message}`);
  const count = counted(remarks.length, "setting");
  to.line(remarks.length === 0 ? "Everything was converted." : `${count} not converted as written.`, "dim");
}

/** Converts Alertmanager's configuration into settings, prints or writes them, and lists what was not taken over. */
export async function importAlertmanager(
  { io, out, err }: Session,
  path: string,
  { output, json }: { output?: string; json?: boolean },
): Promise<void> {
  const { settings, remarks } = convertAlertmanager(await readInput(path, io.stdin));
  const comment = HEAD(path.replace(/\s+/g, " "), out.awoooi("config", "check"))
    .split("\n")
    .map((line) => `#${line}\n`)
    .join("");
  const text = comment + stringify(settings, { lineWidth: 0 });
  if (output !== undefined) await write(output, text);
  if (json) return out.json(JSON.stringify({ settings, remarks }));
  if (output === undefined) out.json(text);
  printRemarks(output === undefined ? err : out, remarks);
}
