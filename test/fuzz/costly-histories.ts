import { signed } from "../conformance/fixture.ts";
import { pastCalls } from "../support/past-calls.ts";
import { type Call, type Costly, call, GENERIC, SIGNALS } from "./costly-bodies.ts";

const own = (path: string, value: unknown): Call => {
  const made = call(path, JSON.stringify(value));
  return { ...made, headers: { ...made.headers, ...signed(made.body) } };
};
const CRON = {
  alert_type: "Cron",
  severity: "warning",
  target_resource: "deployment/cron",
  message: "failed",
};
const SIGNAL = { alert_name: "Cron", severity: "warning", target: "deployment/cron", message: "failed" };
const over = (body: object) => ({ ...body, status: "resolved" });

function after(
  name: string,
  open: number,
  path: string,
  first: object,
  body: unknown,
  apart = false,
): Costly {
  return {
    name,
    *calls() {
      yield own(path, body);
    },
    past: {
      *calls() {
        yield own(path, first);
      },
      write: (rows) => pastCalls(rows, open, apart),
    },
  };
}

/** Bodies that are small, and cost by what came before them. */
export const HISTORIES: readonly Costly[] = [
  after("history: the end of 100,000 calls", 100_000, GENERIC, CRON, over(CRON)),
  after("history: the end of 100,000 signals", 100_000, SIGNALS, SIGNAL, over(SIGNAL)),
  after("history: the end of calls on 5,000 incidents", 5_000, GENERIC, CRON, over(CRON), true),
  after("history: one more of 100,000 calls", 100_000, GENERIC, CRON, CRON),
  after(
    "history: a thousand more of 100,000 calls",
    100_000,
    GENERIC,
    CRON,
    Array.from({ length: 1_000 }, () => CRON),
  ),
  after(
    "history: 100,000 calls that end and begin anew, in turn",
    100_000,
    GENERIC,
    CRON,
    Array.from({ length: 1_000 }, (_, n) => (n % 2 ? CRON : over(CRON))),
  ),
  after(
    "history: the end of 100,000 calls said a thousand times",
    100_000,
    GENERIC,
    CRON,
    Array.from({ length: 1_000 }, () => over(CRON)),
  ),
];
