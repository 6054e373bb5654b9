import type { OperationTarget } from "../../contract/incident.ts";
import { type Operation, operation } from "../operation.ts";
import type { FlagValue, ReadFlags } from "./flags.ts";
import { refuse, shown } from "./refused.ts";
import { known, type Word } from "./word.ts";

/** What is known when a text is parsed: the incident's target, and the cluster and host of its commands. */
export type Context = {
  target?: OperationTarget | undefined;
  cluster?: string | undefined;
  host?: string | undefined;
};

/** Result for a command that is not refused. */
export type Verdict =
  | { class: "read_only"; operation: Operation | null; reason: string }
  | { class: "operation"; operation: Operation; reason: string };

/** Parser of one tool's arguments, without the tool's own name. */
export type Grammar = (words: readonly Word[], context: Context) => Verdict;

/** Returns a typed operation from a candidate; refuses one that its schema does not allow. */
export function change(candidate: { [key in keyof Operation]: unknown }, reason: string): Verdict {
  const parsed = operation.safeParse(candidate);
  if (parsed.success) return { class: "operation", operation: parsed.data, reason };
  const [issue] = parsed.error.issues;
  const at = issue?.path.join(".") ?? "";
  return refuse(`this is no valid operation: ${at === "" ? "" : `${at} `}${issue?.message ?? "it"}`);
}

/** Returns a read, with its typed operation if the candidate is a valid one. */
export function reads(
  reason: string,
  candidate: { [key in keyof Operation]: unknown } | null = null,
): Verdict {
  const parsed = candidate === null ? null : operation.safeParse(candidate);
  return { class: "read_only", operation: parsed?.success ? parsed.data : null, reason };
}

/** Returns the first unknown part of the words, for a read's reason; null: there is none. */
export function unknownIn(words: readonly Word[]): string | null {
  return words.find((word) => word.unknown !== null)?.unknown ?? null;
}

/** Flags by name. Of a repeated flag the last one counts, as in the tools. */
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

  /** Returns the value as text, even if part of it is unknown. */
  text(name: string): string | undefined {
    const value = this.#values.get(name);
    return value === undefined || value === true ? undefined : value.text;
  }

  /** Returns the value; refuses an unknown one. */
  value(name: string): string | undefined {
    const value = this.#values.get(name);
    return value === undefined || value === true ? undefined : known(value, `the value of ${name}`);
  }

  /** Returns whether a boolean flag is on; refuses an unknown value. */
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

  /** Refuses flags that are not in `allowed`, repeated flags, and unknown values. */
  only(allowed: readonly string[], what: string): void {
    for (const name of this.names) {
      if (!allowed.includes(name)) refuse(`${name} is no part of the operation ${what}`);
      if (this.names.indexOf(name) !== this.names.lastIndexOf(name)) refuse(`${name} is there twice`);
      this.value(name);
    }
  }
}
