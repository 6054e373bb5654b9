import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEED } from "../../../test/support/random.ts";
import { isTransient } from "./transient.ts";

const TRANSIENT = [
  "connection refused",
  "connection reset by peer",
  "context deadline exceeded: timeout",
  "the request timed out",
  "read: i/o error",
  "write: IO error",
  "Input/output error",
  "temporary failure in name resolution",
  "service unavailable",
  "too many requests",
  "dial tcp 10.0.0.1:6443: no route to host",
  "unexpected EOF",
];
const PERMANENT = [
  "not found",
  "forbidden",
  "permission denied",
  "unauthorized",
  "unauthorised",
  "already exists",
  "invalid",
  "immutable",
  "destructive",
  "blocked",
];
const caseOf = (text: string, upper: readonly boolean[]) =>
  [...text].map((letter, at) => (upper[at] ? letter.toUpperCase() : letter)).join("");

describe("whether an error may pass by itself", () => {
  it.each(TRANSIENT)("may: %s", (error) => expect(isTransient({ error })).toBe(true));
  it.each(PERMANENT)("may not: %s", (error) => expect(isTransient({ error })).toBe(false));
  it.each([
    "",
    "exit code 1",
    "the geoffrey process failed",
    "stage 503 failed",
    "the radio error light is on",
  ])("may not where nothing says that it may: %j", (error) => expect(isTransient({ error })).toBe(false));

  it("has permanent words win over transient ones and over any status, wherever they stand", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...TRANSIENT),
        fc.constantFrom(...PERMANENT),
        fc.boolean(),
        fc.array(fc.boolean(), { maxLength: 80 }),
        fc.option(fc.constantFrom(408, 429, 500, 503), { nil: undefined }),
        (passing, final, swapped, upper, status) => {
          const text = swapped ? `${final}: ${passing}` : `${passing}: ${final}`;
          const error = { error: caseOf(text, upper), ...(status === undefined ? {} : { status }) };
          expect(isTransient(error)).toBe(false);
        },
      ),
      { seed: SEED },
    );
  });

  it("goes by the status where there is one, not by the words", () => {
    for (const status of [408, 425, 429, 500, 502, 503, 504]) {
      expect(isTransient({ error: "no words", status })).toBe(true);
    }
    for (const status of [200, 400, 401, 403, 404, 409, 410, 422, 501]) {
      expect(isTransient({ error: "connection refused", status })).toBe(false);
    }
  });
});
