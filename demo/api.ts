import type { Approval } from "../src/contract/approval.ts";
import type { Page } from "../src/contract/common.ts";
import type { Incident, TimelineEvent } from "../src/contract/incident.ts";

/** The few calls of the API that the demo makes, as one person. */
export class Api {
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = `${url}/api/v1`;
    this.#token = token;
  }

  async #call<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(this.#url + path, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body && { "content-type": "application/json" }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as T & { detail?: string };
    if (!response.ok) throw new Error(answer.detail ?? `${method} ${path} answered ${response.status}`);
    return answer;
  }

  async newestIncident(): Promise<Incident | undefined> {
    return (await this.#call<Page<Incident>>("GET", "/incidents?limit=1")).items[0];
  }

  /** The newest 200, effects of others too. */
  async incidents(): Promise<Incident[]> {
    return (await this.#call<Page<Incident>>("GET", "/incidents?limit=200&merged=any")).items;
  }

  async incident(id: string): Promise<Incident> {
    return this.#call("GET", `/incidents/${id}`);
  }

  async timeline(id: string, after: number): Promise<TimelineEvent[]> {
    return (await this.#call<{ items: TimelineEvent[] }>("GET", `/incidents/${id}/timeline?after=${after}`))
      .items;
  }

  async pendingApproval(id: string): Promise<Approval | undefined> {
    return (await this.#call<Page<Approval>>("GET", `/approvals?incident_id=${id}&status=pending`)).items[0];
  }

  async approve({ approval_id, plan_hash }: Approval, comment: string): Promise<void> {
    await this.#call("POST", `/approvals/${approval_id}/approve`, { plan_hash, comment });
  }

  async reject({ approval_id }: Approval, reason: string): Promise<void> {
    await this.#call("POST", `/approvals/${approval_id}/reject`, { reason });
  }

  async createToken(name: string, role: string): Promise<string> {
    return (await this.#call<{ token: string }>("POST", "/tokens", { name, role })).token;
  }
}
