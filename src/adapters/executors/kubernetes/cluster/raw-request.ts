/** One request to the API in plain JSON, which keeps fields that the library does not know yet. */
export type RawRequest = {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path from the root, such as `/api/v1/namespaces/prod/pods/api-0`. */
  path: string;
  query?: Record<string, string | number | boolean | undefined>;
  body?: unknown;
  /** Content type of the body, such as `application/strategic-merge-patch+json` for a patch. */
  type?: string;
  accept?: string;
  signal?: AbortSignal | undefined;
};
