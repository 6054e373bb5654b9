export { againId, enqueue, QUEUE, workId } from "./enqueue.ts";
export type { About, Delivery } from "./store.ts";
export {
  countOldNotices,
  countOldWork,
  dueDeliveries,
  forgetNotices,
  routeNotices,
  unfinishedWork,
  updateDelivery,
} from "./store.ts";
export { tell } from "./tell.ts";
export type { Notice, Work } from "./types.ts";
