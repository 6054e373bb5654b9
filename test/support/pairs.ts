/** How well alerts are grouped, counted over pairs: of those put together, and of those that belong together. */
export type Pairs = { together: number; right: number; belonging: number };

/** `found` and `truth` give each alert its group and its trouble. */
export function pairsOf(found: readonly unknown[], truth: readonly unknown[]): Pairs {
  const counts = { together: 0, right: 0, belonging: 0 };
  for (let a = 0; a < found.length; a++) {
    for (let b = a + 1; b < found.length; b++) {
      const [said, is] = [found[a] === found[b], truth[a] === truth[b]];
      counts.together += said ? 1 : 0;
      counts.belonging += is ? 1 : 0;
      counts.right += said && is ? 1 : 0;
    }
  }
  return counts;
}

export function sumOf(list: readonly Pairs[]): Pairs {
  const sum = (key: keyof Pairs) => list.reduce((total, one) => total + one[key], 0);
  return { together: sum("together"), right: sum("right"), belonging: sum("belonging") };
}

/** From 0 to 1; what puts nothing together is not wrong. */
export function scores({ together, right, belonging }: Pairs): {
  precision: number;
  recall: number;
  f1: number;
} {
  const precision = together === 0 ? 1 : right / together;
  const recall = belonging === 0 ? 1 : right / belonging;
  const f1 = precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
  return { precision, recall, f1 };
}
