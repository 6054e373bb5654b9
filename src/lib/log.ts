import { AsyncLocalStorage } from "node:async_hooks";

/** The part of pino's logger that the code uses: `log.info({ incident_id }, "text")`. */
export type Log = {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
};

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** The ids on a log line, by which people search for it. */
export type LogFields = {
  incident_id?: string | undefined;
  approval_id?: string | undefined;
  execution_id?: string | undefined;
  /** `seq` of the receipt in the journal. */
  receipt?: number;
  /** The id of an HTTP request; the `reference` of an error 500. */
  request_id?: string;
};

const about = new AsyncLocalStorage<LogFields>();

/** Runs `work` and adds these fields to every line that is logged during it, in any module. */
export function logAbout<T>(fields: LogFields, work: () => T): T {
  return about.run({ ...about.getStore(), ...fields }, work);
}

/** Returns the fields that the enclosing {@link logAbout} calls add to log lines. */
export function logFields(): LogFields {
  return about.getStore() ?? {};
}

const KINDS = { INC: "incident_id", APR: "approval_id", EXE: "execution_id" } as const;

/** Returns an incident, approval or execution id under its field name, and no field for any other value. */
export function logField(id: unknown): LogFields {
  const kind = typeof id === "string" && /^([A-Z]{3})-[A-Z0-9-]{1,40}$/.exec(id)?.[1];
  const name = kind && KINDS[kind as keyof typeof KINDS];
  return name ? { [name]: id } : {};
}
