import { z } from "zod";
import { createToken, listTokens, personOfToken, revokeToken } from "../../access/index.ts";
import {
  createdToken,
  createToken as createTokenBody,
  inForce,
  revokeToken as revokeTokenBody,
  token,
} from "../../contract/access.ts";
import { wireId } from "../../contract/common.ts";
import { kindOf } from "../../lib/actor.ts";
import { approvedByPerson } from "../../playbook/index.ts";
import { silencesOfPerson } from "../../silence/index.ts";
import type { ApiApp } from "../fastify.ts";

const params = z.object({ id: wireId });

export function tokenRoutes(app: ApiApp): void {
  app.get(
    "/tokens",
    {
      schema: {
        "x-role": "admin",
        summary: "Tokens, revoked ones too, without their secrets",
        response: { 200: z.object({ items: z.array(token) }) },
      },
    },
    async ({ ctx }) => {
      const rows = await listTokens(ctx);
      const items = rows.map(({ created_at, revoked_at, created_by_kind, ...rest }) => ({
        ...rest,
        created_by_kind: kindOf(created_by_kind),
        created_at: created_at.toISOString(),
        revoked_at: revoked_at?.toISOString() ?? null,
      }));
      return { items };
    },
  );

  app.post(
    "/tokens",
    {
      schema: {
        "x-role": "admin",
        summary: "Create a token; its secret is only in the answer",
        body: createTokenBody,
        response: { 201: createdToken },
      },
      config: { answered_once: true },
    },
    async ({ ctx, body }, reply) => reply.status(201).send(await createToken(ctx, body)),
  );

  app.delete(
    "/tokens/:id",
    {
      schema: {
        "x-role": "admin",
        summary: "Revoke a token",
        description:
          "Its person's signatures no longer count unless they have another token, or `keep_signatures` is true.",
        params,
        body: revokeTokenBody.nullish(),
        response: { 204: z.null() },
      },
    },
    async ({ ctx, params: { id }, body }, reply) => {
      await revokeToken(ctx, { token_id: id, ...body });
      return reply.status(204).send(null);
    },
  );

  app.get(
    "/tokens/:id/in-force",
    {
      schema: {
        "x-role": "admin",
        summary: "What a token's person has in force: silences, and playbooks that they approved",
        params,
        response: { 200: inForce },
        "x-errors": [404],
      },
    },
    async ({ ctx, params: { id } }) => {
      const whose = await personOfToken(ctx, id);
      const silences = (await silencesOfPerson(ctx, whose.person)).map(({ ends_at, ...one }) => ({
        ...one,
        ends_at: ends_at.toISOString(),
      }));
      return { token_id: id, ...whose, silences, playbooks: await approvedByPerson(ctx, whose) };
    },
  );
}
