import {
  compile,
  type JSONValue,
  register,
  TreeInterpreter,
  TYPE_ANY,
  TYPE_STRING,
} from "@jmespath-community/jmespath";
import { AT_THE_DOOR, readBody } from "../../../intake/index.ts";
import { messageOf } from "../../../lib/error.ts";

export type Expression = ReturnType<typeof compile>;

const MOST_TAGS = 500;

// What functions of the expression that is evaluated have left out. There is one interpreter.
let left_out: string[] = [];

/** What was left out by the expressions since this was asked last, in words. */
export function leftOut(): string[] {
  const words = left_out;
  left_out = [];
  return words;
}

/** `a:1,b:2`, or a list of such texts, as an object: how many vendors write tags. A tag without a value is `true`. */
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

/** JSON within a text, within the same limits as a body. */
function jsonIn(text: string): JSONValue {
  if (text.length > LARGEST_TEXT) throw new Error(`from_json() of more than ${LARGEST_TEXT} characters`);
  const { json, cut } = readBody(Buffer.from(text), AT_THE_DOOR);
  if (cut !== null) left_out.push(cut);
  return json as JSONValue;
}

// What JMESPath lacks and vendors need: JSON within a text, and tags.
register("from_json", ([text]) => jsonIn(text as string), [{ types: [TYPE_STRING] }], { override: true });
register("pairs", ([given]) => pairs(given), [{ types: [TYPE_ANY] }], { override: true });

/** Throws with what is wrong, and where. */
export function compiled(expression: string): Expression {
  const tree = compile(expression);
  // A function's name is looked at when it is called otherwise, which is too late.
  for (const name of functionsOf(tree))
    if (!TreeInterpreter.runtime.isRegistered(name)) throw new Error(`there is no function ${name}()`);
  return tree;
}

function* functionsOf(node: unknown): Generator<string> {
  if (node === null || typeof node !== "object") return;
  if ("type" in node && node.type === "Function" && "name" in node) yield String(node.name);
  for (const child of Object.values(node)) yield* functionsOf(child);
}

/** What is wrong with an expression, null where it is sound. */
export function faultOf(expression: string): string | null {
  try {
    compiled(expression);
    return null;
  } catch (error) {
    return `is no JMESPath expression: ${messageOf(error)}`;
  }
}

const CURRENT = compile("@");

/**
 * Runs `work` with a function that evaluates expressions at a part of `body`, in which `$` is the whole of
 * it. There is one interpreter, so `work` must end before the next begins, and evaluate at no other time.
 */
export function within<T>(
  body: unknown,
  work: (at: (expression: Expression, part: unknown) => unknown) => T,
): T {
  try {
    // The interpreter takes for `$` what it was last asked to search.
    TreeInterpreter.search(CURRENT, body as JSONValue);
    return work((expression, part) => TreeInterpreter.visit(expression, part as JSONValue));
  } finally {
    TreeInterpreter.search(CURRENT, null);
  }
}
