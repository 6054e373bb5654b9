import { AwoooiError } from "../lib/error.ts";

/** What a browser adds to a request by itself, and a program does not. Header values as they came. */
export type BrowserRequest = {
  method: string;
  origin: string | undefined;
  fetch_site: string | undefined;
  content_type: string | undefined;
};

const READS = ["GET", "HEAD"];
// `none`: a person typed the address; `same-origin`: their own page asked, through a program that passed the request on.
const OWN_READS = ["none", "same-origin"];

const isRead = ({ method }: BrowserRequest) => READS.includes(method);

/** Returns whether a MIME type is JSON; a browser sends such a body only to origins that allow it. */
function isJson(content_type: string | undefined): boolean {
  const [essence = ""] = (content_type ?? "").split(";");
  return /^[ \t]*(?:(?:application|text)\/json|[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+\+json)[ \t]*$/i.test(
    essence,
  );
}

/** Returns whether a web page made a browser send the call. */
function isOfPage(call: BrowserRequest): boolean {
  if (call.origin !== undefined) return true;
  if (call.fetch_site === undefined) return false;
  return !isRead(call) || !OWN_READS.includes(call.fetch_site.trim().toLowerCase());
}

/**
 * Returns the error for a call that is authenticated by its address only and may come from a web page: any page open in a browser
 * of a trusted network can send one. Returns null for a program's call.
 */
export function refusedForPage(call: BrowserRequest): AwoooiError | null {
  if (isOfPage(call)) {
    return new AwoooiError(
      "from_web_page",
      "A web page sent this through a browser (it has the header Origin or Sec-Fetch-Site), and a browser's address does not authorise web pages: send it from a program, or with `Authorization: Bearer TOKEN`.",
    );
  }
  if (isRead(call) || isJson(call.content_type)) return null;
  return new AwoooiError(
    "unsupported_media_type",
    "A sender trusted only by its address must declare JSON, which a web page cannot: add the header `Content-Type: application/json` (curl: `-H 'Content-Type: application/json'`), or credentials.",
  );
}

/**
 * Returns the error for a call with basic credentials, which a browser that knows them adds to what pages send. Only requests
 * that a page may send without CORS permission are refused: a proxy that forwards JSON for its own page may do so.
 */
export function refusedWithBasic(call: BrowserRequest): AwoooiError | null {
  return isRead(call) || isJson(call.content_type) || !isOfPage(call) ? null : refusedForPage(call);
}
