import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from "fastify";
import { AwoooiError } from "../../lib/error.ts";

const METHODS: HTTPMethods[] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/** Answers 405 where a path has other methods. Call the returned function after all routes, with the app to register on. */
export function answerOtherMethods(
  app: FastifyInstance,
  whichWebhook: (path: string) => string,
): (on: FastifyInstance) => void {
  const allowed = new Map<string, Set<HTTPMethods>>();
  let open = true;
  app.addHook("onRoute", ({ url, method }) => {
    if (!open) return;
    const methods = allowed.get(url) ?? new Set();
    allowed.set(url, methods);
    for (const one of [method].flat()) methods.add(one as HTTPMethods);
  });
  return (on) => {
    open = false;
    for (const [url, methods] of allowed) {
      const missing = METHODS.filter((method) => !methods.has(method));
      const allow = [...methods].sort().join(", ");
      const refuse = async (request: FastifyRequest, reply: FastifyReply) => {
        reply.header("allow", allow);
        const sent = request.method === "POST" || request.method === "PUT";
        const hint = sent && !methods.has("POST") ? whichWebhook(url) : "";
        throw new AwoooiError(
          "method_not_allowed",
          `${request.method} is not allowed here; ${allow} ${methods.size === 1 ? "is" : "are"}.${hint}`,
        );
      };
      // `onRequest` refuses the call before its body is read.
      on.route({ method: missing, url, schema: { hide: true }, onRequest: refuse, handler: refuse });
    }
  };
}
