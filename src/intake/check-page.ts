import { AwoooiError } from "../lib/error.ts";

/** What a browser says of a request by itself, and a program does not. Header values as they came. */
export type Browsed = {
  method: string;
  origin: string | undefined;
  fetch_site: string | undefined;
  content_type: string | undefined;
};

const READS = ["GET", "HEAD"];
// Somebody typed the address, or a program of theirs passed on what their own page asked for.
const OWN_READS = ["none", "same-origin"];

const isRead = ({ method }: Browsed) => READS.includes(method);

/** A JSON type as the MIME standard has it; a browser sends none to another origin unless that allows it. */
function isJson(content_type: string | undefined): boolean {
  const [essence = ""] = (content_type ?? "").split(";");
  return /^[ \t]*(?:(?:application|text)\/json|[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+\+json)[ \t]*$/i.test(
    essence,
  );
}

/** Whether a web page had a browser send it. */
function isOfPage(call: Browsed): boolean {
  if (call.origin !== undefined) return true;
  if (call.fetch_site === undefined) return false;
  return !isRead(call) || !OWN_READS.includes(call.fetch_site.trim().toLowerCase());
}

/**
 * Why a call that has nothing to show but its address is refused: any page that is open in a browser of a
 * trusted network can have one sent. Null for a program's call.
 */
export function refusedForPage(call: Browsed): AwoooiError | null {
  if (isOfPage(call)) {
    return new AwoooiError(
      "from_web_page",
      "A web page had a browser send this (it has the header Origin or Sec-Fetch-Site), and for a web page the address of the browser does not speak: send it from a program, or with `Authorization: Bearer TOKEN`.",
    );
  }
  if (isRead(call) || isJson(call.content_type)) return null;
  return new AwoooiError(
    "unsupported_media_type",
    "Whoever shows nothing but an address must send JSON as such, which a web page cannot: add the header `Content-Type: application/json` (curl: `-H 'Content-Type: application/json'`), or credentials.",
  );
}

/**
 * The same of basic credentials, which a browser that was once given them adds to what pages send. Only what
 * needs nobody's leave to be sent: what passes on JSON for its own page may say so.
 */
export function refusedWithBasic(call: Browsed): AwoooiError | null {
  return isRead(call) || isJson(call.content_type) || !isOfPage(call) ? null : refusedForPage(call);
}
