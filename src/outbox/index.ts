export { againId, enqueue, FORMER_QUEUE, QUEUE, workId } from "./enqueue.ts";
export { notify } from "./notify.ts";
export type { About, Delivery } from "./store.ts";
export {
  countOldNotices,
  countOldWork,
  deliveredMessages,
  dueDeliveries,
  forgetNotices,
  routeNotices,
  statesOfWork,
  updateDelivery,
} from "./store.ts";
export type { Notice, Work } from "./types.ts";
