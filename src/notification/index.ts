export { deliverNotices } from "./deliver.ts";
export type { Card, Notifier, SendResult } from "./types.ts";
