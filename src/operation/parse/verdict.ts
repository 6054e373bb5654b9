import type { OperationTarget } from "../../contract/incident.ts";
import { type Operation, operation } from "../operation.ts";
import type { FlagValue, ReadFlags } from "./flags.ts";
import { refuse, shown } from "./refused.ts";
import { known, type Word } from "./word.ts";

/** What is already known where a text is read: the incident's own target, and where commands would run. */
export type Context = {
  target?: OperationTarget | undefined;
  cluster?: string | undefined;
  host?: string | undefined;
};

/** What one command is, when it is not refused. */
export type Verdict =
  | { class: "read_only"; operation: Operation | null; reason: string }
  | { class: "operation"; operation: Operation; reason: string };

/** The grammar of one tool: what its words, without the tool's own name, come to. */
export type Grammar = (words: readonly Word[], context: Context) => Verdict;

/** A typed operation from what a text says; refuses what its schema does not allow. */
export function change(candidate: { [key in keyof Operation]: unknown }, reason: string): Verdict {
  const parsed = operation.safeParse(candidate);
  if (parsed.success) return { class: "operation", operation: parsed.data, reason };
  const [issue] = parsed.error.issues;
  const at = issue?.path.join(".") ?? "";
  return refuse(`this is no valid operation: ${at === "" ? "" : `${at} `}${issue?.message ?? "it"}`);
}

/** A read, with its typed operation where the candidate is one. */
export function reads(
  reason: string,
  candidate: { [key in keyof Operation]: unknown } | null = null,
): Verdict {
  const parsed = candidate === null ? null : operation.safeParse(candidate);
  return { class: "read_only", operation: parsed?.success ? parsed.data : null, reason };
}

/** The first part that is not known, for the reason of a read that has one. */
export function unknownIn(words: readonly Word[]): string | null {
  return words.find((word) => word.unknown !== null)?.unknown ?? null;
}

/** Flags by name. Of a flag that comes again the last one counts, as the tools have it. */
export class Flags {
  readonly #values = new Map<string, FlagValue>();
  readonly names: readonly string[];

  constructor(flags: ReadFlags["flags"]) {
    for (const { name, value } of flags) this.#values.set(name, value);
    this.names = flags.map((one) => one.name);
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** The value as text, whether known or not. */
  text(name: string): string | undefined {
    const value = this.#values.get(name);
    return value === undefined || value === true ? undefined : value.text;
  }

  /** The value, which must be known. */
  value(name: string): string | undefined {
    const value = this.#values.get(name);
    return value === undefined || value === true ? undefined : known(value, `the value of ${name}`);
  }

  /** Whether a flag that is yes or no is on; refuses one whose value is not known. */
  on(name: string): boolean {
    if (this.#values.get(name) === true) return true;
    const value = this.value(name)?.toLowerCase();
    if (value === undefined || ["false", "f", "0"].includes(value)) return false;
    if (["true", "t", "1"].includes(value)) return true;
    return refuse(`${name} is yes or no, not ${shown(value)}`);
  }

  get words(): readonly Word[] {
    return [...this.#values.values()].filter((value) => value !== true);
  }

  /** Refuses flags that an operation has no field for, those that are there twice, and values not known. */
  only(allowed: readonly string[], what: string): void {
    for (const name of this.names) {
      if (!allowed.includes(name)) refuse(`${name} is no part of the operation ${what}`);
      if (this.names.indexOf(name) !== this.names.lastIndexOf(name)) refuse(`${name} is there twice`);
      this.value(name);
    }
  }
}
