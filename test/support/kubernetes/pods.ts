import {
  ApiException,
  type CoreV1Api,
  PatchStrategy,
  setHeaderOptions,
  type V1Node,
  type V1Pod,
} from "@kubernetes/client-node";
import { asBehaviour, type BehaviourOf } from "./behaviour.ts";
import { keyedQueue } from "./keyed-queue.ts";
import { isOver, isSame, type Life, nextLife } from "./life.ts";
import { place } from "./placement.ts";
import { eventsOf, type Lived, podStatus, unscheduledStatus } from "./pod-status.ts";
import { createRecorder } from "./recorder.ts";

const MERGE = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);
const SCHEDULER = { component: "default-scheduler" };

/** What is tried again and again. */
const TRIED: ReadonlySet<string> = new Set(["crashes", "completes", "image_pull", "never_ready"]);

const uidOf = (pod: V1Pod) => pod.metadata?.uid ?? "";
const idOf = (pod: V1Pod) => ({ name: pod.metadata?.name ?? "", namespace: pod.metadata?.namespace ?? "" });

/** All pods of a cluster, of which each is placed, reported on and removed as its behaviour says. */
export class Pods {
  readonly #known = new Map<string, V1Pod>();
  /** Where pods have been placed that the API server has not yet told of. */
  readonly #placed = new Map<string, string>();
  readonly #lives = new Map<string, Map<string, Life>>();
  readonly #sent = new Map<string, string>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #due = new Set<string>();
  readonly #addresses = new Map<string, string>();
  readonly #core: CoreV1Api;
  readonly #record: ReturnType<typeof createRecorder>;
  readonly #queue = keyedQueue((uid) => this.#work(uid));
  readonly #isAlive: (node: string) => boolean;
  readonly #beat: number;
  #behaviour: BehaviourOf;

  /** `isAlive` tells whether a node's kubelet works; `beat` is the time between two tries in milliseconds. */
  constructor(core: CoreV1Api, behaviour: BehaviourOf, isAlive: (node: string) => boolean, beat: number) {
    this.#core = core;
    this.#record = createRecorder(core);
    this.#behaviour = behaviour;
    this.#isAlive = isAlive;
    this.#beat = beat;
  }

  /** The API server has told of a pod. */
  pod(type: string, pod: V1Pod): void {
    if (type === "DELETED") this.#forget(uidOf(pod));
    if (type !== "ADDED" && type !== "MODIFIED") return;
    this.#known.set(uidOf(pod), pod);
    this.#queue.push(uidOf(pod));
  }

  /** The API server has told of a node: pods that found none may find one now. */
  node(type: string, _node: V1Node): void {
    if (type !== "ADDED" && type !== "MODIFIED") return;
    for (const [uid, pod] of this.#known) if (!pod.spec?.nodeName) this.#queue.push(uid);
  }

  /** The kubelet of a node works again: it reports on all of its pods. */
  reportAll(node: string): void {
    for (const [uid, pod] of this.#known) {
      if (pod.spec?.nodeName !== node) continue;
      this.#sent.delete(uid);
      this.#queue.push(uid);
    }
  }

  behave(behaviour: BehaviourOf): void {
    this.#behaviour = behaviour;
    for (const uid of this.#known.keys()) this.#queue.push(uid);
  }

  find(namespace: string, name: string): V1Pod | undefined {
    return [...this.#known.values()].find(
      ({ metadata }) => metadata?.name === name && metadata.namespace === namespace,
    );
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await this.#queue.stop();
  }

  #forget(uid: string): void {
    this.#known.delete(uid);
    this.#lives.delete(uid);
    this.#placed.delete(uid);
    this.#sent.delete(uid);
    clearTimeout(this.#timers.get(uid));
    this.#timers.delete(uid);
  }

  async #work(uid: string): Promise<void> {
    const pod = this.#known.get(uid);
    if (pod === undefined) return;
    try {
      const node = pod.spec?.nodeName;
      if (node === undefined) await this.#schedule(pod);
      else if (this.#isAlive(node)) await this.#run(pod, node);
    } catch (error) {
      if (!(error instanceof ApiException && error.code === 404)) throw error;
      this.#forget(uid);
    }
  }

  #behaviours(pod: V1Pod) {
    const containers = pod.spec?.containers ?? [];
    return containers.map((container) => ({
      container,
      now: asBehaviour(this.#behaviour(pod, container)),
    }));
  }

  async #schedule(pod: V1Pod): Promise<void> {
    if (this.#placed.has(uidOf(pod))) return;
    const refused = this.#behaviours(pod).find(({ now }) => now.kind === "unschedulable")?.now;
    const message = refused?.kind === "unschedulable" && (refused.message ?? "Insufficient cpu.");
    // As they are now: of a node that was cordoned before this pod was made one may be told only afterwards.
    const { items: nodes } = await this.#core.listNode();
    const placed = [...this.#known].map(([uid, one]) => one.spec?.nodeName ?? this.#placed.get(uid) ?? "");
    const found = message
      ? { message: `0/${nodes.length} nodes are available: ${nodes.length} ${message}` }
      : place(pod, nodes, placed);
    if ("message" in found) {
      const told = await this.#report(pod, unscheduledStatus(pod, found.message));
      if (told) await this.#record(pod, SCHEDULER, ["Warning", "FailedScheduling", found.message]);
      return;
    }
    const { name, namespace } = idOf(pod);
    const target = { apiVersion: "v1", kind: "Node", name: found.node };
    // Before it is done: another pod that is placed meanwhile counts it.
    this.#placed.set(uidOf(pod), found.node);
    const body = { metadata: { name }, target };
    await this.#core.createNamespacedPodBinding({ name, namespace, body }).catch((error) => {
      this.#placed.delete(uidOf(pod));
      throw error;
    });
    const text = `Successfully assigned ${namespace}/${name} to ${found.node}`;
    await this.#record(pod, SCHEDULER, ["Normal", "Scheduled", text]);
  }

  async #run(pod: V1Pod, node: string): Promise<void> {
    const source = { component: "kubelet", host: node };
    if (pod.metadata?.deletionTimestamp !== undefined) return this.#remove(pod, source);
    const phase = pod.status?.phase;
    if (phase === "Succeeded" || phase === "Failed") return;
    const { lived, begun } = this.#live(pod);
    await this.#report(pod, podStatus(pod, lived, this.#address(uidOf(pod))));
    for (const one of begun)
      for (const told of eventsOf(one)) await this.#record(pod, source, told, one.container.name);
    if (lived.some(({ life }) => TRIED.has(life.behaviour.kind) && !isOver(pod, life))) this.#tryAgain(pod);
  }

  /** Its containers, and those of them that have just begun to live so or been tried once more. */
  #live(pod: V1Pod): { lived: Lived[]; begun: Lived[] } {
    const uid = uidOf(pod);
    const lives = this.#lives.get(uid) ?? new Map<string, Life>();
    this.#lives.set(uid, lives);
    const due = this.#due.delete(uid);
    const begun: Lived[] = [];
    const lived = this.#behaviours(pod).map(({ container, now }) => {
      const was = lives.get(container.name);
      const again = due && TRIED.has(now.kind);
      if (was !== undefined && isSame(was.behaviour, now) && !again) return { container, life: was };
      const one = { container, life: nextLife(pod, container, was, now) };
      lives.set(container.name, one.life);
      begun.push(one);
      return one;
    });
    return { lived, begun };
  }

  #tryAgain(pod: V1Pod): void {
    const uid = uidOf(pod);
    if (this.#timers.has(uid)) return;
    const timer = setTimeout(() => {
      this.#timers.delete(uid);
      this.#due.add(uid);
      this.#queue.push(uid);
    }, this.#beat);
    this.#timers.set(uid, timer.unref());
  }

  async #remove(pod: V1Pod, source: object): Promise<void> {
    for (const { name } of pod.spec?.containers ?? [])
      await this.#record(pod, source, ["Normal", "Killing", `Stopping container ${name}`], name);
    const body = { gracePeriodSeconds: 0, preconditions: { uid: uidOf(pod) } };
    await this.#core.deleteNamespacedPod({ ...idOf(pod), body });
  }

  /** Writes the status, unless it is what has been written last; tells whether it has. */
  async #report(pod: V1Pod, status: object): Promise<boolean> {
    const text = JSON.stringify(status);
    if (this.#sent.get(uidOf(pod)) === text) return false;
    // Another pod may have its name by now: a stateful set's next one.
    const body = { metadata: { uid: uidOf(pod) }, status };
    await this.#core.patchNamespacedPodStatus({ ...idOf(pod), body }, MERGE);
    this.#sent.set(uidOf(pod), text);
    return true;
  }

  #address(uid: string): string {
    const number = this.#addresses.size + 1;
    const address = this.#addresses.get(uid) ?? `10.244.${number >> 8}.${number & 255}`;
    this.#addresses.set(uid, address);
    return address;
  }
}
