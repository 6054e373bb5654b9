// Words that need no quotes in any POSIX shell.
const PLAIN = /^[\w@%+=:,./-]+$/;

/** Returns a word of a command line, quoted for a POSIX shell if necessary. */
export function shellQuoted(text: string): string {
  return PLAIN.test(text) ? text : inQuotes(text);
}

function inQuotes(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * Returns a program and its arguments as one line that a POSIX shell splits into exactly these words. Throws
 * for a word with NUL, which would be cut there silently.
 */
export function commandLine([program, ...args]: readonly [string, ...string[]]): string {
  if ([program, ...args].some((word) => word.includes("\0"))) throw new Error("a word contains NUL");
  // Unquoted, the first word could be read as an assignment, a keyword or an alias.
  return [inQuotes(program), ...args.map(shellQuoted)].join(" ");
}
