import { AsyncLocalStorage } from "node:async_hooks";

/** The part of pino's logger that the rooms use: `log.info({ incident_id }, "text")`. */
export type Log = {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
};

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** What a line is about: the ids by which people look for it. */
export type LogFields = {
  incident_id?: string | undefined;
  approval_id?: string | undefined;
  execution_id?: string | undefined;
  /** Place in the journal. */
  receipt?: number;
  /** Of an HTTP request; the `reference` of an error 500. */
  request_id?: string;
};

const about = new AsyncLocalStorage<LogFields>();

/** Runs `work` with these fields on every line that is logged meanwhile, in whatever room. */
export function logAbout<T>(fields: LogFields, work: () => T): T {
  return about.run({ ...about.getStore(), ...fields }, work);
}

/** The fields that {@link logAbout} has put on the lines logged here. */
export function logFields(): LogFields {
  return about.getStore() ?? {};
}

const KINDS = { INC: "incident_id", APR: "approval_id", EXE: "execution_id" } as const;

/** An id of ours under the name that lines have it by; nothing for any other text. */
export function logField(id: unknown): LogFields {
  const kind = typeof id === "string" && /^([A-Z]{3})-[A-Z0-9-]{1,40}$/.exec(id)?.[1];
  const name = kind && KINDS[kind as keyof typeof KINDS];
  return name ? { [name]: id } : {};
}
