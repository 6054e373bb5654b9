/** The part of pino's logger that the rooms use: `log.info({ incident_id }, "text")`. */
export type Log = {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
};

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
