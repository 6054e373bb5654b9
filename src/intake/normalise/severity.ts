import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import { type Severity, severity } from "../../contract/common.ts";

const listed = z.string().transform((text) => text.split(/\s+/).filter(Boolean));
const table = z.strictObject({
  words: z.record(severity, listed),
  spellings: z.record(z.string(), listed),
});

type Meaning = {
  severity: Severity;
  /** The word of the table; the sender's may be another spelling of it. */
  word: string;
  /** Whether it comes from the installation's configuration. */
  own: boolean;
};
/** The meaning of senders' words for severity, by the folded word (see `foldSeverity`). */
export type Severities = ReadonlyMap<string, Meaning>;

/** Returns a word in the table's spelling: `SEV-1` and `Sev 1` become `sev1`. */
export const foldSeverity = (word: string): string => word.toLowerCase().replace(/[\s._-]+/g, "");

function shipped(): [string, Meaning][] {
  const yaml = readFileSync(new URL("./severities.yaml", import.meta.url), "utf8");
  const { words, spellings } = table.parse(parse(yaml));
  return Object.entries(words).flatMap(([level, list]) =>
    list.flatMap((said) => {
      const word = foldSeverity(said);
      const meaning: Meaning = { severity: level as Severity, word, own: false };
      return [word, ...(spellings[said] ?? [])].map((one): [string, Meaning] => [foldSeverity(one), meaning]);
    }),
  );
}

const SHIPPED = shipped();

/** Returns the shipped table, overridden by an installation's own words. */
export function severityTable(own: Readonly<Record<string, Severity>> = {}): Severities {
  const words = Object.entries(own).map(([said, level]): [string, Meaning] => {
    const word = foldSeverity(said);
    return [word, { severity: level, word, own: true }];
  });
  return new Map([...SHIPPED, ...words]);
}

/** The severity that a sender's word stands for, and the reason. */
export type SaidSeverity = {
  severity: Severity;
  /** The sender's own word. */
  said: string;
  /** The word of the table; null: the word is unknown, and the severity P2. */
  word: string | null;
  by: "table" | "configuration" | "unknown_word";
};

// A label may be some kilobytes long; a word for a severity is not.
const LONGEST_WORD = 64;

/** Returns the severity for a sender's word, and by which table; null: there is no word. */
export function saidSeverity(
  said: string | undefined,
  words: Severities = severityTable(),
): SaidSeverity | null {
  if (said === undefined || said.trim() === "") return null;
  const found = said.length > LONGEST_WORD ? undefined : words.get(foldSeverity(said));
  if (found === undefined) return { severity: "P2", said, word: null, by: "unknown_word" };
  return { severity: found.severity, said, word: found.word, by: found.own ? "configuration" : "table" };
}

/** Returns the severity for a sender's word; null when there is none. An unknown word is P2. */
export const severityOf = (said: string | undefined, words: Severities = severityTable()): Severity | null =>
  saidSeverity(said, words)?.severity ?? null;
