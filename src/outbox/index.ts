export { againId, enqueue, FORMER_QUEUE, QUEUE, workId } from "./enqueue.ts";
export { notify } from "./notify.ts";
export type { Delivery, NoticeSubject } from "./store.ts";
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
export type { Notice, QueuedWork } from "./types.ts";
