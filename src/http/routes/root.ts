import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { NO_CREDENTIALS } from "../openapi.ts";

const LINKS = {
  health: "/api/v1/health",
  api: "/api/v1/openapi.json",
  webhooks: "/api/v1/webhooks/alertmanager",
  alertmanager_api: "/api/v2",
  metrics: "/metrics",
};

const about = z.object({
  name: z.literal("AWOOOI"),
  what: z.string(),
  links: z.object({
    health: z.string(),
    api: z.string(),
    webhooks: z.string().describe("Alertmanager's; the API's description lists the others"),
    alertmanager_api: z.string().describe("The address for Prometheus and amtool"),
    metrics: z.string(),
  }),
});

const WHAT = "A self-hosted incident responder: from alert to approved and verified repair.";

const TEXT = `AWOOOI
${WHAT}

Health:                      GET ${LINKS.health}
The API describes itself:    GET ${LINKS.api}
Alertmanager's webhook:      POST ${LINKS.webhooks}
Prometheus and amtool:       this address
Metrics:                     GET ${LINKS.metrics}
Command line:                AWOOOI_URL=(this address) AWOOOI_TOKEN=(yours) awoooi incidents ls
`;

const wantsJson = (accept: string | undefined) => /\bapplication\/(json|\*)/i.test(accept ?? "");

/** Registers the root page, open to anyone: what AWOOOI is and where to go on. It says nothing about this installation. */
export function rootRoutes(app: FastifyInstance): void {
  app.get("/", {
    schema: {
      security: NO_CREDENTIALS,
      tags: ["system"],
      summary: "What this is",
      response: {
        200: {
          description: "JSON for clients that accept it, else text",
          content: { "application/json": { schema: about }, "text/plain": { schema: z.string() } },
        },
      },
    },
    serializerCompiler: () => (said) => (typeof said === "string" ? said : JSON.stringify(said)),
    handler: async (request, reply) =>
      wantsJson(request.headers.accept)
        ? reply.type("application/json; charset=utf-8").send({ name: "AWOOOI", what: WHAT, links: LINKS })
        : reply.type("text/plain; charset=utf-8").send(TEXT),
  });
}
