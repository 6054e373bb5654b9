/** The server with a planted bug: it answers an alert before the journal is committed. */
import { Journal } from "../../src/intake/journal/journal.ts";

const append = Journal.prototype.append;
Journal.prototype.append = async function tooEarly(receipt) {
  // Long after the test has killed it, however busy the machine is.
  setTimeout(() => void append.call(this, receipt), 600_000);
  return { ...receipt, seq: 0 };
};

await import("../../src/main.ts");
