import type { Command } from "commander";
import { type Tool, toolList } from "../../contract/tool.ts";
import { urlPath } from "../../lib/url-path.ts";
import { parseAnswer, request } from "../client.ts";
import { addGroup, addSubcommand, type Session } from "../command.ts";
import type { Cell } from "../print.ts";

function stateOf({ enabled, reachable, detail }: Tool): Cell {
  if (!enabled) return { text: "disabled", style: "dim" };
  if (reachable === null) return "enabled";
  if (reachable) return { text: "reachable", style: "green" };
  return { text: `not reachable: ${detail ?? "no reason given"}`, style: "red" };
}

async function ls({ server, out }: Session, { json }: { json?: boolean }): Promise<void> {
  const answer = await request(server(), "GET", urlPath`/tools`);
  if (json) return out.json(answer.text);
  const { items } = parseAnswer(toolList, answer);
  if (items.length === 0) return out.line("There are no tools: no executor is configured.");
  out.table(
    ["TOOL", "OPERATION", "PROVIDER", "SCOPE", "RISK", "GRANTED TO", "STATE"],
    items.map((one) => [
      one.tool,
      one.kind,
      one.provider,
      one.scope,
      one.risk,
      one.granted_to.join(", ") || "none",
      stateOf(one),
    ]),
  );
}

export function addTools(program: Command, session: Session): void {
  const tools = addGroup(program, "tools", "the gateway's tools, and who may use them");
  addSubcommand(tools, "ls", "list every tool, with its scope and whether it can be reached", [
    "awoooi tools ls",
  ]).action((options: { json?: boolean }) => ls(session, options));
}
