import { bigint, customType, timestamp } from "drizzle-orm/pg-core";
import {
  ALERT_STATUS,
  INCIDENT_STATUS,
  presentValue,
  SEVERITY,
  type Vocabulary,
} from "../../lib/old-values.ts";

export const bytes = customType<{ data: Buffer }>({ dataType: () => "bytea" });
/** A text column with an enumerated type; words that earlier installations stored are read as the present values. */
const named = <Value extends string>(of: Vocabulary<Value>) =>
  customType<{ data: Value; driverData: string }>({
    dataType: () => "text",
    fromDriver: (stored) => presentValue(of, stored),
  });
export const severity = named(SEVERITY);
export const incidentStatus = named(INCIDENT_STATUS);
export const alertStatus = named(ALERT_STATUS);
export const timeColumn = (name: string) =>
  timestamp(name, { withTimezone: true, precision: 3, mode: "date" });
export const serialColumn = (name: string) => bigint(name, { mode: "number" }).generatedAlwaysAsIdentity();
