/** The server with a planted bug: it answers an alert before the journal is committed. */
import { Journal } from "../../src/intake/journal.ts";

const append = Journal.prototype.append;
Journal.prototype.append = async function tooEarly(receipt) {
  setTimeout(() => void append.call(this, receipt), 200);
  return { ...receipt, seq: 0 };
};

await import("../../src/main.ts");
