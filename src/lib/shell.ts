// What every POSIX shell takes as it stands; everything else is quoted.
const PLAIN = /^[\w@%+=:,./-]+$/;

/** One word of a command line, quoted for a POSIX shell where that is needed. */
export function quoted(text: string): string {
  return PLAIN.test(text) ? text : inQuotes(text);
}

function inQuotes(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * A program and its arguments as one line, of which a POSIX shell makes exactly these words again. Throws on
 * NUL, at which every word would end in silence.
 */
export function commandLine([program, ...args]: readonly [string, ...string[]]): string {
  if ([program, ...args].some((word) => word.includes("\0"))) throw new Error("a word contains NUL");
  // Quotes keep the first word from being an assignment, a keyword or an alias.
  return [inQuotes(program), ...args.map(quoted)].join(" ");
}
