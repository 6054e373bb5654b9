import {
  compile,
  type JSONValue,
  register,
  TreeInterpreter,
  TYPE_ANY,
  TYPE_STRING,
} from "@jmespath-community/jmespath";
import { LIMITS_BEFORE_ANSWER, readBody } from "../../../intake/index.ts";
import { messageOf } from "../../../lib/error.ts";

export type Expression = ReturnType<typeof compile>;

const MOST_TAGS = 500;

// What the functions of the expression being evaluated have truncated. Global, as there is only one interpreter.
let left_out: string[] = [];

/** Returns and clears the descriptions of what expressions have truncated since the last call. */
export function takeTruncations(): string[] {
  const words = left_out;
  left_out = [];
  return words;
}

/** Parses tags as many vendors write them, `a:1,b:2` or a list of such strings. A tag without a value is `true`. */
function pairs(given: unknown): JSONValue {
  const list =
    typeof given === "string" ? given.split(",", MOST_TAGS + 1) : Array.isArray(given) ? given : [];
  if (list.length > MOST_TAGS) left_out.push(`truncated: the first ${MOST_TAGS} tags are read`);
  const tags = list
    .slice(0, MOST_TAGS)
    .filter((one): one is string => typeof one === "string" && one.trim() !== "");
  return Object.fromEntries(
    tags.map((tag): [string, JSONValue] => {
      const [, key, value] = /^([^:=]*)[:=]([\s\S]*)$/.exec(tag.trim()) ?? [];
      return key === undefined || value === undefined ? [tag.trim(), "true"] : [key.trim(), value.trim()];
    }),
  );
}

const LARGEST_TEXT = 256 * 1024;

/** Parses JSON inside a string, with the same limits as a request body. Throws when it is too long or invalid. */
function jsonIn(text: string): JSONValue {
  if (text.length > LARGEST_TEXT) throw new Error(`from_json() of more than ${LARGEST_TEXT} characters`);
  const { json, cut } = readBody(Buffer.from(text), LIMITS_BEFORE_ANSWER);
  if (cut !== null) left_out.push(cut);
  return json as JSONValue;
}

// Functions that JMESPath lacks and vendors' bodies need: JSON inside a string, and tags.
register("from_json", ([text]) => jsonIn(text as string), [{ types: [TYPE_STRING] }], { override: true });
register("pairs", ([given]) => pairs(given), [{ types: [TYPE_ANY] }], { override: true });

/** Compiles an expression. Throws an error that says what is wrong, and where. */
export function compiled(expression: string): Expression {
  const tree = compile(expression);
  // JMESPath itself checks a function's name only when it is called, which is too late.
  for (const name of functionsOf(tree))
    if (!TreeInterpreter.runtime.isRegistered(name)) throw new Error(`there is no function ${name}()`);
  return tree;
}

function* functionsOf(node: unknown): Generator<string> {
  if (node === null || typeof node !== "object") return;
  if ("type" in node && node.type === "Function" && "name" in node) yield String(node.name);
  for (const child of Object.values(node)) yield* functionsOf(child);
}

/** Returns what is wrong with an expression; null if it is valid. */
export function expressionError(expression: string): string | null {
  try {
    compiled(expression);
    return null;
  } catch (error) {
    return `is not a JMESPath expression: ${messageOf(error)}`;
  }
}

const CURRENT = compile("@");

/**
 * Runs `work` with a function that evaluates an expression at a part of `body`; `$` is the whole body. There is only
 * one interpreter, so `work` must be synchronous and must not evaluate after it has returned.
 */
export function evaluateIn<T>(
  body: unknown,
  work: (at: (expression: Expression, part: unknown) => unknown) => T,
): T {
  try {
    // For the interpreter, `$` is the value that `search` was last called with.
    TreeInterpreter.search(CURRENT, body as JSONValue);
    return work((expression, part) => TreeInterpreter.visit(expression, part as JSONValue));
  } finally {
    TreeInterpreter.search(CURRENT, null);
  }
}
