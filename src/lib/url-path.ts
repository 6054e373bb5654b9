import { clip } from "./clip.ts";
import { AwoooiError } from "./error.ts";

/**
 * Returns whether a text is safe as one segment of a URL's path: not empty, `.` or `..`, and without characters at which
 * a server or proxy may split a path, before or after decoding.
 */
function isPathSegment(text: string): boolean {
  return !/^\.{0,2}$|[/\\%?#\p{Cc}]/u.test(text) && text.isWellFormed();
}

/** Encodes an external name as a path segment. Throws `invalid` for a name that would change the path. */
export function pathSegment(text: string): string {
  if (isPathSegment(text)) return encodeURIComponent(text);
  const shown = JSON.stringify(clip(text, 100));
  throw new AwoooiError("invalid", `${shown} is not a name: it would lead to another address.`);
}

/** A URL path whose variable parts all went through {@link pathSegment}. */
export type UrlPath = string & { readonly safe: unique symbol };

/** Template tag that builds a {@link UrlPath}: `` urlPath`/approvals/${id}` ``. Throws `invalid`. */
export function urlPath(fixed: TemplateStringsArray, ...parts: (string | number)[]): UrlPath {
  return String.raw({ raw: fixed }, ...parts.map((one) => pathSegment(String(one)))) as UrlPath;
}

/** Returns whether a path is absolute and every segment, once decoded, is safe. */
export function isCleanPath(path: string): boolean {
  const [before, ...segments] = path.split("/");
  return before === "" && segments.length > 0 && segments.every((one) => isPathSegment(decoded(one)));
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return "";
  }
}
