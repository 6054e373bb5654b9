export { deliverNotices } from "./deliver.ts";
export { createRouter, type Router, receiversNamed, routeSetting } from "./route.ts";
export type { Card, Notifier, SendResult } from "./types.ts";
