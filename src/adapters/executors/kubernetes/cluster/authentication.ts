import type { KubeConfig, RequestContext } from "@kubernetes/client-node";
import { messageOf } from "../../../../lib/error.ts";
import { NotSent, plain } from "./failure.ts";
import type { Dispatcher } from "./library.ts";

// Certificates that are renewed on disk are used after this time.
const CONNECTIONS_MS = 60_000;

/**
 * The credentials of a kubeconfig and the bound of every request. The library would open a connection for
 * each request: here they are kept for a minute, then made anew with what the files hold by then.
 */
export class Authentication {
  readonly #kubeConfig: KubeConfig;
  readonly #timeoutMs: number;
  #dispatcher: Dispatcher | undefined;
  #since = Number.NEGATIVE_INFINITY;

  /** `timeout` is in seconds. */
  constructor(kubeConfig: KubeConfig, timeout: number) {
    this.#kubeConfig = kubeConfig;
    this.#timeoutMs = timeout * 1000;
  }

  getName(): string {
    return "kubeconfig";
  }

  async applySecurityAuthentication(context: RequestContext): Promise<void> {
    const signal = AbortSignal.timeout(this.#timeoutMs);
    // A plugin of the kubeconfig runs a program, which may hang.
    const late = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(new Error("its credentials took too long: timed out")), {
        once: true,
      });
    });
    // When the credentials come first, its end is nobody's.
    late.catch(() => {});
    try {
      await Promise.race([this.#kubeConfig.applySecurityAuthentication(context), late]);
    } catch (error) {
      throw new NotSent(`the kubeconfig's credentials cannot be had: ${plain(messageOf(error), 300)}`);
    }
    context.setSignal(signal);
    const fresh = context.getDispatcher();
    if (fresh === undefined) return;
    const now = performance.now();
    if (this.#dispatcher === undefined || now - this.#since > CONNECTIONS_MS) {
      // Ends when its last request has: the next ones go through the new one.
      this.#dispatcher?.close().catch(() => {});
      this.#dispatcher = fresh;
      this.#since = now;
    }
    context.setDispatcher(this.#dispatcher);
  }
}
