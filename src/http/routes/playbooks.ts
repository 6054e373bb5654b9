import { z } from "zod";
import { pageOf, wireId } from "../../contract/common.ts";
import {
  approvePlaybook as approveBody,
  importPlaybooks as importBody,
  importedPlaybooks,
  playbookQuery,
  playbook as playbookSchema,
} from "../../contract/playbook.ts";
import {
  approvePlaybook,
  deprecatePlaybook,
  getPlaybook,
  importPlaybooks,
  listPlaybooks,
  parsePlaybooks,
  presentPlaybook,
  readPlaybooks,
} from "../../playbook/index.ts";
import type { ApiApp } from "../fastify.ts";

const params = z.object({ id: wireId });
const response = { 200: playbookSchema };

/** Registers the routes for playbooks. */
export function playbookRoutes(app: ApiApp): void {
  app.get(
    "/playbooks",
    {
      schema: {
        summary: "Playbooks, newest first",
        querystring: playbookQuery,
        response: { 200: pageOf(playbookSchema) },
      },
    },
    async ({ ctx, query }) => {
      const { rows, next_cursor } = await listPlaybooks(ctx, query);
      return { items: rows.map(presentPlaybook), next_cursor };
    },
  );
  app.post(
    "/playbooks",
    {
      schema: {
        "x-role": "responder",
        summary: "Import playbooks by name, as drafts; unchanged ones stay as they are",
        description: "Either `yaml`, the text of a file, or `playbooks`, its content.",
        body: importBody,
        response: { 200: importedPlaybooks },
      },
    },
    async ({ ctx, body }) => {
      const written = "yaml" in body ? parsePlaybooks(body.yaml) : readPlaybooks(body);
      const items = await importPlaybooks(ctx, written);
      return { items: items.map((one) => ({ ...one, playbook: presentPlaybook(one.playbook) })) };
    },
  );
  app.get(
    "/playbooks/:id",
    { schema: { summary: "One playbook", params, response } },
    async ({ ctx, params: { id } }) => presentPlaybook(await getPlaybook(ctx, id)),
  );
  app.post(
    "/playbooks/:id/approve",
    {
      schema: {
        "x-role": "approver",
        summary: "Approve a playbook for use",
        description: "With `hash`, only if the playbook still has it.",
        params,
        body: approveBody.nullish(),
        response,
      },
    },
    async ({ ctx, params: { id }, body }) =>
      presentPlaybook(await approvePlaybook(ctx, { playbook_id: id, ...body })),
  );
  app.post(
    "/playbooks/:id/deprecate",
    { schema: { "x-role": "approver", summary: "Deprecate a playbook", params, response } },
    async ({ ctx, params: { id } }) => presentPlaybook(await deprecatePlaybook(ctx, id)),
  );
}
