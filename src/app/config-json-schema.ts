import { readFileSync } from "node:fs";
import { z } from "zod";
import { configSchema } from "./config-schema.ts";
import { isSecret } from "./secret.ts";

type Node = {
  properties?: Record<string, Node>;
  items?: Node;
  description?: string;
  writeOnly?: boolean;
  [key: string]: unknown;
};

// Editors show the descriptions of this reference page. The relative path is the same from `src` and from `dist`.
const PAGE = new URL("../../docs/reference/awoooi.yaml", import.meta.url);

const SETTING = /^( *)(?:# )?([a-z_]+):(?: .*?)??(?:\s# (.*))?$/;
const COMMENT = /^ *# (.+)$/;

/** Returns the comments of the reference page by the setting's dotted path: the one on its line, else those above. */
function descriptions(): Map<string, string> {
  const found = new Map<string, string>();
  const path: string[] = [];
  let before: string[] = [];
  for (const line of readFileSync(PAGE, "utf8").split("\n")) {
    const [, indent = "", name, behind] = SETTING.exec(line) ?? [];
    if (name === undefined) {
      const said = COMMENT.exec(line)?.[1];
      before = said === undefined ? [] : [...before, said];
      continue;
    }
    path.splice(indent.length / 2, Number.POSITIVE_INFINITY, name);
    const said = behind ?? before.join(" ");
    if (said !== "") found.set(path.join("."), said);
    before = [];
  }
  return found;
}

function annotate(node: Node, path: string, said: ReadonlyMap<string, string>): void {
  const description = said.get(path);
  if (description !== undefined) node.description = description;
  if (isSecret(path)) node.writeOnly = true;
  for (const [name, inner] of Object.entries(node.properties ?? {}))
    annotate(inner, path === "" ? name : `${path}.${name}`, said);
  if (node.items !== undefined) annotate(node.items, path, said);
}

/** Returns the JSON Schema of `awoooi.yaml` for editors: defaults, descriptions, secrets as `writeOnly`. */
export function configJsonSchema(): object {
  const schema = z.toJSONSchema(configSchema, { io: "input", unrepresentable: "any" }) as Node;
  annotate(schema, "", descriptions());
  return { ...schema, title: "awoooi.yaml" };
}
