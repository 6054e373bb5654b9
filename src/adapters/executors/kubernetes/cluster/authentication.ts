import type { KubeConfig, RequestContext } from "@kubernetes/client-node";
import { messageOf } from "../../../../lib/error.ts";
import { NotSent, plain } from "./failure.ts";
import type { Dispatcher } from "./library.ts";

// How long connections are kept, and so the delay until certificates renewed on disk are used.
const CONNECTIONS_MS = 60_000;

/**
 * Adds the credentials of a kubeconfig and the timeout to every request. The library would open a connection for each
 * request; here they are kept for a minute, then replaced by ones with the current files.
 */
export class Authentication {
  readonly #kubeConfig: KubeConfig;
  readonly #timeoutMs: number;
  #dispatcher: Dispatcher | undefined;
  #since = Number.NEGATIVE_INFINITY;

  /** `timeout` of a request, in seconds. */
  constructor(kubeConfig: KubeConfig, timeout: number) {
    this.#kubeConfig = kubeConfig;
    this.#timeoutMs = timeout * 1000;
  }

  getName(): string {
    return "kubeconfig";
  }

  async applySecurityAuthentication(context: RequestContext): Promise<void> {
    const signal = AbortSignal.timeout(this.#timeoutMs);
    // A credential plugin of the kubeconfig runs a program, which may hang.
    const late = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(new Error("getting its credentials timed out")), {
        once: true,
      });
    });
    // If the credentials come first, nothing else awaits this promise: avoid an unhandled rejection.
    late.catch(() => {});
    try {
      await Promise.race([this.#kubeConfig.applySecurityAuthentication(context), late]);
    } catch (error) {
      throw new NotSent(`the kubeconfig's credentials cannot be obtained: ${plain(messageOf(error), 300)}`);
    }
    context.setSignal(signal);
    const fresh = context.getDispatcher();
    if (fresh === undefined) return;
    const now = performance.now();
    if (this.#dispatcher === undefined || now - this.#since > CONNECTIONS_MS) {
      // Closes after its last request has ended; new requests use the new dispatcher.
      this.#dispatcher?.close().catch(() => {});
      this.#dispatcher = fresh;
      this.#since = now;
    }
    context.setDispatcher(this.#dispatcher);
  }
}
