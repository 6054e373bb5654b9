import { readFile, stat } from "node:fs/promises";
import type { AnyAuthMethod, ParsedKey } from "ssh2";
import { messageOf } from "../../../../lib/error.ts";
import { registerSecrets } from "../../../../lib/redact.ts";
import type { HostConfig } from "../config.ts";
import { library } from "./library.ts";

/** The authentication methods for a host, in the order in which they are tried. */
export type IdentityResult = { ok: true; methods: AnyAuthMethod[] } | { ok: false; message: string };

type IdentitySettings = Pick<
  HostConfig,
  "user" | "identity_file" | "passphrase" | "passphrase_file" | "password" | "password_file" | "agent"
>;

/** Returns a secret from the configuration or from its file. */
async function secretOf(value: string | undefined, file: string | undefined): Promise<string | undefined> {
  if (value !== undefined || file === undefined) return value;
  const secret = (await readFile(file, "utf8")).replace(/\r?\n$/, "");
  registerSecrets([secret]);
  return secret;
}

/** Reads a private key from a file. Throws with the reason when it cannot be used; the message never contains the key. */
async function keyOf(file: string, passphrase: string | undefined): Promise<ParsedKey> {
  const { mode } = await stat(file);
  if ((mode & 0o077) !== 0)
    throw new Error(`the private key ${file} is readable by others: chmod 600 ${file}`);
  const key = await readFile(file);
  const parsed = library().utils.parseKey(key, passphrase);
  if (!(parsed instanceof Error)) return parsed;
  if (/no passphrase|encrypted/i.test(parsed.message))
    throw new Error(`the private key ${file} needs a passphrase, and none is configured`);
  const why =
    passphrase === undefined ? "is not a private key" : "is not a private key, or its passphrase is wrong";
  throw new Error(`${file} ${why}`);
}

/** Reads the keys and secrets of a host from the configured places. */
export async function readIdentity(asked: IdentitySettings): Promise<IdentityResult> {
  try {
    const passphrase = await secretOf(asked.passphrase, asked.passphrase_file);
    const password = await secretOf(asked.password, asked.password_file);
    const { identity_file: file, agent } = asked;
    if (agent !== undefined && !(await stat(agent)).isSocket()) throw new Error(`${agent} is not a socket`);
    // Pass the parsed key: ssh2 would derive the key from its passphrase again, which takes half a second.
    const key = file === undefined ? undefined : await keyOf(file, passphrase);
    const { user: username } = asked;
    const methods: AnyAuthMethod[] = [
      ...(key === undefined ? [] : [{ type: "publickey" as const, username, key }]),
      ...(agent === undefined ? [] : [{ type: "agent" as const, username, agent }]),
      ...(password === undefined ? [] : [{ type: "password" as const, username, password }]),
    ];
    return { ok: true, methods };
  } catch (error) {
    return { ok: false, message: messageOf(error) };
  }
}
