const SIGNALS: Record<number, string> = {
  1: "SIGHUP",
  2: "SIGINT",
  4: "SIGILL, an instruction that this processor does not have: an image for another one?",
  6: "SIGABRT: it gave up by itself, most often after a failed assertion or out of memory",
  7: "SIGBUS",
  8: "SIGFPE",
  9: "SIGKILL: it was killed, by the kubelet or for its memory",
  11: "SIGSEGV: it read memory that is not its own, a fault of the program",
  13: "SIGPIPE",
  15: "SIGTERM: it was asked to end, and ended",
};

const MEANINGS: Record<number, string> = {
  0: "it ended without an error: what a workload runs must not end",
  1: "a general error of the program: its log says which",
  2: "wrong use: most often its arguments or flags are wrong",
  126: "the command was found and cannot be executed: its permissions or its format are wrong",
  127: "the command was not found in the image",
  128: "the container could not be started: most often its command does not exist in the image",
  255: "an error out of range, often of a script or of the runtime",
};

/** Describes what a container's exit code means; most codes are the program's own. */
export function exitMeaning(code: number): string {
  const known = MEANINGS[code];
  if (known !== undefined) return known;
  const signal = code > 128 && code <= 159 ? code - 128 : undefined;
  if (signal === undefined) return "a code of the program's own: its log says what it means";
  return SIGNALS[signal] ?? `ended by signal ${signal}`;
}
