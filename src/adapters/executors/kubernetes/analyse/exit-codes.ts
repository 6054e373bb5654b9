const SIGNALS: Record<number, string> = {
  1: "SIGHUP",
  2: "SIGINT",
  4: "SIGILL: an illegal instruction; possibly an image for another processor",
  6: "SIGABRT: it aborted, most often after a failed assertion or out of memory",
  7: "SIGBUS",
  8: "SIGFPE",
  9: "SIGKILL: it was killed, by the kubelet or because memory ran out",
  11: "SIGSEGV: an invalid memory access, a bug of the program",
  13: "SIGPIPE",
  15: "SIGTERM: it was asked to end",
};

const MEANINGS: Record<number, string> = {
  0: "it ended without an error, but a workload's program must keep running",
  1: "a general error of the program: see its log",
  2: "wrong usage: most often its arguments or flags are wrong",
  126: "the command was found but cannot be executed: its permissions or format are wrong",
  127: "the command was not found in the image",
  128: "the container could not be started: most often its command does not exist in the image",
  255: "an exit status out of range, often of a script or the runtime",
};

/** Describes what a container's exit code means; most codes are the program's own. */
export function exitMeaning(code: number): string {
  const known = MEANINGS[code];
  if (known !== undefined) return known;
  const signal = code > 128 && code <= 159 ? code - 128 : undefined;
  if (signal === undefined) return "a code specific to the program: see its log";
  return SIGNALS[signal] ?? `ended by signal ${signal}`;
}
