import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import { clip, clipCounted } from "../../../lib/clip.ts";
import { messageOf } from "../../../lib/error.ts";
import { redactText } from "../../../lib/redact.ts";

const MAX_OUTPUT = 8_000;
const MAX_ERROR = 1_000;

type Block = CallToolResult["content"][number];

function blockText(block: Block): string {
  switch (block.type) {
    case "text":
      return block.text;
    case "image":
    case "audio":
      return `[${block.type} ${block.mimeType}, ${Math.floor((block.data.length * 3) / 4)} bytes]`;
    case "resource":
      return "text" in block.resource ? block.resource.text : `[resource ${block.resource.uri}]`;
    case "resource_link":
      return `[link ${block.uri}]`;
  }
}

const plain = (text: string) => text.replace(/[^\P{Cc}\n\t]/gu, "").toWellFormed();

/** An error on one line, some of it in the server's words: without credentials, and not too long. */
export function errorText(error: unknown): string {
  // Redacted before it is cut, or half a secret would be left.
  return clip(redactText(plain(messageOf(error).replace(/\s+/g, " "))), MAX_ERROR);
}

/** What people read of a tool's answer. */
export function contentText({ content, structuredContent }: CallToolResult): string {
  const said = content
    .map(blockText)
    .filter((text) => text !== "")
    .join("\n");
  const text = said === "" && structuredContent !== undefined ? JSON.stringify(structuredContent) : said;
  return clipCounted(plain(text), MAX_OUTPUT);
}
