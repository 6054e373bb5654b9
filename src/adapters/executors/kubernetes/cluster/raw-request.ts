/** One request in the API's own JSON: as it is, with fields that the library does not know yet. */
export type RawRequest = {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** From the root, as `/api/v1/namespaces/prod/pods/api-0`. */
  path: string;
  query?: Record<string, string | number | boolean | undefined>;
  body?: unknown;
  /** Of a patch: `application/strategic-merge-patch+json` and the like. */
  type?: string;
  accept?: string;
  signal?: AbortSignal | undefined;
};
