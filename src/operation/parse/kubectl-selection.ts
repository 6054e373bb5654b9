import type { Flags } from "./flags.ts";
import { kindOf } from "./kubectl-kinds.ts";
import type { KubectlCommand } from "./tool-command.ts";
import type { Word } from "./word.ts";

/** Returns the one object, or the one kind, that is read; null for anything more complex. */
function subject(operands: readonly Word[]): { kind: string; name?: string } | null {
  const [first, second] = operands;
  if (first === undefined) return null;
  const parts = first.text.split("/");
  if (parts.length === 2 && operands.length === 1)
    return { kind: kindOf(parts[0] ?? ""), name: parts[1] ?? "" };
  if (parts.length !== 1 || operands.length > 2 || first.text.includes(",")) return null;
  const kind = kindOf(first.text);
  return second === undefined ? { kind } : { kind, name: second.text };
}

const SELECTION: Readonly<Record<string, string>> = {
  "--selector": "selector",
  "--field-selector": "field_selector",
};

/** Returns what a read is about, and its parameters: one object, or a selection; null for anything more complex. */
export function objectOrSelection<Own extends object>(
  { flags, context }: KubectlCommand,
  operands: readonly Word[],
  own: (flags: Flags) => Own,
): { target: { kind: string; name: string } | null; parameters: Own } | null {
  const about = subject(operands);
  if (about === null) return null;
  const { kind, name } = about;
  const cluster = flags.value("--context") ?? context.cluster;
  const namespace = flags.value("--namespace");
  const place = {
    ...(namespace === undefined ? {} : { namespace }),
    ...(cluster === undefined ? {} : { cluster }),
  };
  const parameters = own(flags);
  const picks = Object.keys(SELECTION).some((flag) => flags.has(flag)) || flags.has("--all-namespaces");
  if (name !== undefined) return picks ? null : { target: { kind, name, ...place }, parameters };
  const selected = Object.entries(SELECTION).flatMap(([flag, field]) => {
    const value = flags.value(flag);
    return value === undefined ? [] : [[field, value]];
  });
  const everywhere = flags.on("--all-namespaces") ? { all_namespaces: true } : {};
  return {
    target: null,
    parameters: { resource: kind, ...place, ...everywhere, ...Object.fromEntries(selected), ...parameters },
  };
}
