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

/** Formats an error, which may contain the server's text, on one line: redacted, at most 1,000 characters. */
export function errorText(error: unknown): string {
  // Redact before cutting, or half a secret could remain.
  return clip(redactText(plain(messageOf(error).replace(/\s+/g, " "))), MAX_ERROR);
}

/** Formats a tool's answer for people, at most 8,000 characters. */
export function contentText({ content, structuredContent }: CallToolResult): string {
  const said = content
    .map(blockText)
    .filter((text) => text !== "")
    .join("\n");
  const text = said === "" && structuredContent !== undefined ? JSON.stringify(structuredContent) : said;
  return clipCounted(plain(text), MAX_OUTPUT);
}
