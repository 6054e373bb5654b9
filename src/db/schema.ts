/** Every table, grouped by the stage that writes it. */

export * from "./schema/approval.ts";
export * from "./schema/correlation.ts";
export * from "./schema/execution.ts";
export * from "./schema/incident.ts";
export * from "./schema/intake.ts";
export * from "./schema/playbook.ts";
export * from "./schema/silence.ts";
export * from "./schema/supervision.ts";
export * from "./schema/system.ts";
