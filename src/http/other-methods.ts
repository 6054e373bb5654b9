import type { FastifyInstance, HTTPMethods } from "fastify";
import { AwoooiError } from "../lib/error.ts";

const METHODS: HTTPMethods[] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/** Answers 405, with what is allowed, where a path is known under other methods. Call what it returns last. */
export function answerOtherMethods(app: FastifyInstance): () => void {
  const allowed = new Map<string, Set<HTTPMethods>>();
  let open = true;
  app.addHook("onRoute", ({ url, method }) => {
    if (!open) return;
    const methods = allowed.get(url) ?? new Set();
    allowed.set(url, methods);
    for (const one of [method].flat()) methods.add(one as HTTPMethods);
  });
  return () => {
    open = false;
    for (const [url, methods] of allowed) {
      const missing = METHODS.filter((method) => !methods.has(method));
      const allow = [...methods].sort().join(", ");
      app.route({
        method: missing,
        url,
        schema: { hide: true },
        handler: async (request, reply) => {
          reply.header("allow", allow);
          throw new AwoooiError("method_not_allowed", `${request.method} is not allowed here; ${allow} is.`);
        },
      });
    }
  };
}
