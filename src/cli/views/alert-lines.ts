import { z } from "zod";
import { messageOf } from "../../lib/error.ts";
import { lines } from "../io.ts";

// A longer line is no alert and is not read into memory.
const LONGEST_LINE = 16 * 1024 * 1024;

function parse(line: string): unknown {
  if (line.length > LONGEST_LINE) throw new Error("it is too long");
  try {
    return JSON.parse(line);
  } catch {
    throw new Error("it is not JSON");
  }
}

function problem(error: unknown): string {
  const issue = error instanceof z.ZodError ? error.issues[0] : undefined;
  if (issue === undefined) return messageOf(error);
  return issue.path.length === 0 ? issue.message : `${issue.path.join(".")}: ${issue.message}`;
}

export type AlertLine<T> = { number: number; value: T } | { number: number; error: string };

/** Parses each line of JSON by `schema`; yields the value or an error that names the line. Lines count from 1. */
export async function* alertLines<T>(
  pieces: AsyncIterable<string>,
  schema: z.ZodType<T>,
): AsyncGenerator<AlertLine<T>> {
  let number = 0;
  for await (const line of lines(pieces, LONGEST_LINE + 1)) {
    number += 1;
    try {
      yield { number, value: schema.parse(parse(line)) };
    } catch (error) {
      yield { number, error: `line ${number}: ${problem(error)}` };
    }
  }
}
