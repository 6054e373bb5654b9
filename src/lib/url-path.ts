import { clip } from "./clip.ts";
import { AwoooiError } from "./error.ts";

/**
 * Whether a text can name one thing in the path of a URL. Not nothing, `.` or `..`, which name what is around it; and
 * nothing in it that some server on the way cuts paths by, also once it is decoded.
 */
function isPathSegment(text: string): boolean {
  return !/^\.{0,2}$|[/\\%?#\p{Cc}]/u.test(text) && text.isWellFormed();
}

/** A name from outside as a part of a path. Throws `invalid` for one that would lead elsewhere. */
export function pathSegment(text: string): string {
  if (isPathSegment(text)) return encodeURIComponent(text);
  const shown = JSON.stringify(clip(text, 100));
  throw new AwoooiError("invalid", `${shown} is no name: it would lead to another address.`);
}

/** A path of which every part that came from outside is a {@link pathSegment}. */
export type UrlPath = string & { readonly safe: unique symbol };

/** Makes one of a template: `` urlPath`/approvals/${id}` ``. Throws `invalid`. */
export function urlPath(fixed: TemplateStringsArray, ...parts: (string | number)[]): UrlPath {
  return String.raw({ raw: fixed }, ...parts.map((one) => pathSegment(String(one)))) as UrlPath;
}

/** Whether each part of an absolute path names one thing, however it is encoded. */
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
