import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { SOURCES } from "../../src/app/adapters.ts";
import { type App, createServer, type HttpDeps } from "../../src/http/index.ts";
import { silentLog } from "../../src/lib/log.ts";

type Json = Record<string, unknown>;
export type Operation = {
  method: string;
  path: string;
  operationId: string;
  "x-role"?: string;
  parameters?: { name: string; in: string; schema: Json }[];
  requestBody?: { content: Record<string, { schema: Json }> };
  responses: Record<string, { content?: Record<string, { schema: Json }> }>;
};

const unbound = () => {
  throw new Error("this server only describes itself");
};

/** The server with nothing behind it: its routes are there, and its document. */
export async function describedServer(): Promise<App> {
  const bound: Partial<HttpDeps> = {
    log: silentLog,
    body_limit: 1_024,
    version: "0",
    sources: {
      ...{ kinds: SOURCES, ids: () => [], limited: () => [] },
      ...{ sender: unbound, decode: unbound, limits: unbound },
    },
  };
  const deps = new Proxy(bound as HttpDeps, { get: (known, name) => Reflect.get(known, name) ?? unbound });
  return createServer(deps);
}

/** The OpenAPI document of these sources. */
export async function openapiDocument(): Promise<Json> {
  const server = await describedServer();
  const document = server.swagger() as unknown as Json;
  await server.close();
  return document;
}

const whole = "openapi.json";

/** A document with its schemas compiled: by ajv, which knows nothing of what made them. */
export class Description {
  readonly document: Json;
  readonly operations: Operation[];
  readonly #ajv: Ajv2020;

  constructor(document: Json) {
    this.document = document;
    // Strict: a keyword that means nothing is an error. OpenAPI's own are told to it.
    this.#ajv = new Ajv2020({ strict: true, allErrors: true, strictTypes: false, strictRequired: false });
    formats.default(this.#ajv);
    this.#ajv.addKeyword("example");
    this.#ajv.addVocabulary(["openapi", "info", "components", "paths", "servers", "tags", "security"]);
    this.#ajv.addSchema(document, whole);
    const paths = document.paths as Record<string, Record<string, Omit<Operation, "method" | "path">>>;
    this.operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, one]) => ({ ...one, method: method.toUpperCase(), path })),
    );
  }

  /** The schema at these places of the document. */
  validator(...places: string[]): ValidateFunction {
    const pointer = places.map((place) =>
      encodeURIComponent(place.replaceAll("~", "~0").replaceAll("/", "~1")),
    );
    const found = this.#ajv.getSchema(`${whole}#/${pointer.join("/")}`);
    if (found === undefined) throw new Error(`the document has nothing at ${places.join(" > ")}`);
    return found;
  }

  find(method: string, path: string): Operation | undefined {
    const fits = (template: string) =>
      new RegExp(`^${template.replace(/[.]/g, "\\.").replace(/\{[^}]+\}/g, "[^/]+")}$`).test(path);
    const own = this.operations.filter((one) => one.method === method);
    return own.find((one) => one.path === path) ?? own.find((one) => fits(one.path));
  }

  /** What is wrong with a body, as JSON was parsed, at these places; empty when it fits. */
  faults(value: unknown, ...places: string[]): string[] {
    const validate = this.validator(...places);
    return validate(value) ? [] : (validate.errors ?? []).map((one) => `${one.instancePath} ${one.message}`);
  }

  /** What in an answer is not as the document says. Empty for calls of nothing that is described: 404 and 405. */
  faultsOf(answer: Answer): string[] {
    const { method, path, status, type, body } = answer;
    const operation = this.find(method, path);
    if (operation === undefined)
      return [404, 405, 400].includes(status) ? [] : [`${method} ${path} is not described`];
    const described = operation.responses[status];
    if (described === undefined) return [`${operation.operationId} is not said to answer ${status}`];
    if (status === 204) return body === "" ? [] : ["204 with a body"];
    const media = type?.split(";")[0] ?? "";
    if (described.content?.[media] === undefined)
      return [`${operation.operationId} ${status} is not said to be ${media}`];
    const value = media.endsWith("json") ? (JSON.parse(body) as unknown) : body;
    const place = [
      "paths",
      operation.path,
      method.toLowerCase(),
      "responses",
      String(status),
      "content",
      media,
      "schema",
    ];
    return this.faults(value, ...place).map((fault) => `${operation.operationId} ${status}: ${fault}`);
  }
}

export type Answer = {
  method: string;
  /** Without the query. */
  path: string;
  status: number;
  type: string | null;
  body: string;
};

let description: Promise<Description> | undefined;

/** Throws unless an answer of the real server is one that its document describes. */
async function mustBeDescribed(answer: Answer): Promise<void> {
  description ??= openapiDocument().then((document) => new Description(document));
  const faults = (await description).faultsOf(answer);
  if (faults.length > 0)
    throw new Error(`not as the OpenAPI document says: ${faults.join("; ")}\n${answer.body}`);
}

/** The text of a response, once the document was found to describe it. */
export async function describedText(method: string, response: Response): Promise<string> {
  const body = await response.text();
  const type = response.headers.get("content-type");
  await mustBeDescribed({
    method,
    path: new URL(response.url).pathname,
    status: response.status,
    type,
    body,
  });
  return body;
}
