import type { Command } from "commander";
import { z } from "zod";
import { createdToken, inForce, token } from "../../contract/access.ts";
import { role } from "../../contract/common.ts";
import { urlPath } from "../../lib/url-path.ts";
import { parseAnswer, request } from "../client.ts";
import { addGroup, addSubcommand, choiceOption, id, type Session } from "../command.ts";
import { actorText, formatTime } from "../print.ts";

type Json = { json?: boolean };
type CreateOptions = Json & { name: string; role: string; person?: string };

async function create(session: Session, { json, ...body }: CreateOptions): Promise<void> {
  const answer = await request(session.server(), "POST", urlPath`/tokens`, { body: JSON.stringify(body) });
  if (json) return session.out.json(answer.text);
  const made = parseAnswer(createdToken, answer);
  session.out.line(`${made.token_id}: a token for ${made.person}, with the role ${made.role}.`);
  session.out.line(`  ${made.token}`, "bold");
  session.out.line("This is the only time it is shown: copy it now, to use as AWOOOI_TOKEN.");
}

async function list(session: Session, { json }: Json): Promise<void> {
  const answer = await request(session.server(), "GET", urlPath`/tokens`);
  if (json) return session.out.json(answer.text);
  const { items } = parseAnswer(z.object({ items: z.array(token) }), answer);
  if (items.length === 0) return session.out.line("There are no tokens.");
  session.out.table(
    ["TOKEN", "NAME", "PERSON", "ROLE", "CREATED", "BY", "REVOKED"],
    items.map((one) => [
      one.token_id,
      one.name,
      one.person,
      one.role,
      formatTime(one.created_at),
      actorText(one.created_by, one.created_by_kind),
      one.keeps_signatures ? `${formatTime(one.revoked_at)}, signatures kept` : formatTime(one.revoked_at),
    ]),
  );
}

async function revoke(
  session: Session,
  tokenId: string,
  { json, keepSignatures = false }: Json & { keepSignatures?: boolean },
): Promise<void> {
  const body = JSON.stringify({ keep_signatures: keepSignatures });
  const answer = await request(session.server(), "DELETE", urlPath`/tokens/${tokenId}`, { body });
  if (json) return session.out.json(answer.text);
  session.out.line(
    keepSignatures
      ? `${tokenId} is revoked. Its person's signatures still count.`
      : `${tokenId} is revoked. Its person's signatures no longer count, unless they hold another token with the role.`,
  );
  const path = urlPath`/tokens/${tokenId}/in-force`;
  const { person, silences, playbooks } = parseAnswer(inForce, await request(session.server(), "GET", path));
  if (silences.length + playbooks.length === 0) return;
  session.out.line(`Still in force from ${person}:`);
  for (const one of silences)
    session.out.line(`  ${one.silence_id}: a silence until ${formatTime(one.ends_at)}: ${one.comment}`);
  for (const one of playbooks)
    session.out.line(
      `  ${one.playbook_id}: the playbook ${one.name}, which ${one.lapsed === null ? "may run automatically" : "needs signatures from now on"}`,
    );
}

export function addTokens(program: Command, session: Session): void {
  const tokens = addGroup(program, "tokens", "create, list and revoke access tokens");
  addSubcommand(tokens, "create", "create a token; its secret is shown once", [
    "awoooi tokens create --name ada --role approver",
    "awoooi tokens create --name ada-laptop --person ada --role responder",
  ])
    .requiredOption("--name <name>", "the token's name")
    .addOption(choiceOption("--role <role>", "what it allows", role.options).makeOptionMandatory())
    .option(
      "--person <name>",
      "its owner; a person signs once, with any number of tokens (default: the name)",
    )
    .action((options: CreateOptions) => create(session, options));
  addSubcommand(tokens, "ls", "list tokens, without their secrets", ["awoooi tokens ls"]).action(
    (options: Json) => list(session, options),
  );
  addSubcommand(tokens, "revoke", "revoke a token", ["awoooi tokens revoke TOK-5Q0ZC8WJ1N6T3KXM"])
    .argument("<id>", "the token", id)
    .option("--keep-signatures", "what its person has signed still counts")
    .action((tokenId: string, options: Json & { keepSignatures?: boolean }) =>
      revoke(session, tokenId, options),
    );
}
