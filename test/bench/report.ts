export const print = (line = "") => process.stdout.write(`${line}\n`);

const number = new Map<number, Intl.NumberFormat>();

/** A number for people: thousands apart, so many digits behind the point. */
export function fixed(value: number, digits = 0): string {
  const format =
    number.get(digits) ??
    new Intl.NumberFormat("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  number.set(digits, format);
  return format.format(value);
}

/** Columns under their heads: the first to the left, numbers to the right. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = heads.map((head, at) => Math.max(head.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join("  ");
  print(line(heads));
  for (const row of rows) print(line(row));
}
