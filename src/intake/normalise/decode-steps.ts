import type { Decode } from "../source.ts";
import type { Decoded } from "../types.ts";

/** A decoding that yields after each alert, so that its caller can let other work run in between. */
export type DecodeSteps = Generator<void, Decoded>;

/** Runs a decoding to its end at once. */
function decodedAtOnce(steps: DecodeSteps): Decoded {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** Returns a source's `decode` made from a decoding in steps, for bodies with many alerts. */
export const decodeInSteps = (steps: (body: unknown) => DecodeSteps): Decode =>
  Object.assign((body: unknown) => decodedAtOnce(steps(body)), { steps });
