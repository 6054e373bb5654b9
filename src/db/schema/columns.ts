import { bigint, customType, timestamp } from "drizzle-orm/pg-core";

export const bytes = customType<{ data: Buffer }>({ dataType: () => "bytea" });
export const at = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: "date" });
export const serial = (name: string) => bigint(name, { mode: "number" }).generatedAlwaysAsIdentity();
