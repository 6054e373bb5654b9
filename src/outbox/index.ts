export { againId, enqueue, FORMER_QUEUE, QUEUE, workId } from "./enqueue.ts";
export { notify } from "./notify.ts";
export type { DeliveredMessage, Delivery, NoticeSubject } from "./store.ts";
export {
  countDelivered,
  countOldNotices,
  countOldWork,
  deliveredMessages,
  dueDeliveries,
  forgetNotices,
  postponeDeliveries,
  routeNotices,
  statesOfWork,
  updateDelivery,
} from "./store.ts";
export type { Notice, QueuedWork } from "./types.ts";
