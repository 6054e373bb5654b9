import { stringify } from "yaml";
import { redact } from "../../../../lib/redact.ts";
import type { Cluster } from "../cluster/client.ts";
import { failureOf, plain } from "../cluster/failure.ts";
import type { Meta } from "../cluster/objects.ts";
import { pathOfResource, type ResourceRef } from "./resource.ts";
import { beginningOf, shown } from "./text.ts";

type Described = { kind?: string; metadata: Meta & { managedFields?: unknown }; [field: string]: unknown };
type Event = { type?: string; reason?: string; message?: string; count?: number; lastTimestamp?: string };

const MAX_OBJECTS = 5;
const MAX_EVENTS = 15;
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** Hides values of environment variables, which may be credentials under any name; keeps where they come from. */
function withoutValues(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutValues);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const isEnv = key === "env" && Array.isArray(item);
      return [
        key,
        isEnv
          ? item.map(({ value: given, ...rest }) => ({
              ...rest,
              ...(given === undefined ? {} : { value: "[not shown]" }),
            }))
          : withoutValues(item),
      ];
    }),
  );
}

/** Returns only the keys and sizes of an object's data, which often has secrets that are not marked as such. */
const sizes = (data: unknown) =>
  Object.fromEntries(
    Object.entries(data ?? {}).map(([key, text]) => [key, `[${String(text).length} characters, not shown]`]),
  );

function cleaned(object: Described): unknown {
  const { managedFields: _, annotations, ...metadata } = object.metadata;
  const { [LAST_APPLIED]: __, ...kept } = annotations ?? {};
  const { data, binaryData, ...rest } = object;
  return redact(
    withoutValues({
      ...rest,
      metadata: { ...metadata, ...(Object.keys(kept).length === 0 ? {} : { annotations: kept }) },
      ...(data === undefined ? {} : { data: sizes(data) }),
      ...(binaryData === undefined ? {} : { binaryData: sizes(binaryData) }),
    }),
  );
}

async function eventsOf(cluster: Cluster, { metadata }: Described): Promise<string> {
  const path = `/api/v1/namespaces/${encodeURIComponent(metadata.namespace ?? "default")}/events`;
  try {
    const { items } = await cluster.raw<{ items: Event[] | null }>({
      path,
      query: { fieldSelector: `involvedObject.uid=${metadata.uid}`, limit: 200 },
    });
    const newest = (items ?? [])
      .sort((a, b) => (b.lastTimestamp ?? "").localeCompare(a.lastTimestamp ?? ""))
      .slice(0, MAX_EVENTS);
    const lines = newest.map(
      ({ type, reason, message, count = 1, lastTimestamp }) =>
        `  ${lastTimestamp ?? ""} ${type} ${reason} (${count} times): ${plain(message ?? "", 500)}`,
    );
    return lines.length === 0 ? "events: none" : ["events:", ...lines].join("\n");
  } catch (error) {
    return `events: ${failureOf(error).message}`;
  }
}

/** Returns objects as YAML with their events, without values that may be secret. */
export async function describeText(cluster: Cluster, where: ResourceRef): Promise<string> {
  const path = pathOfResource(where);
  const objects =
    where.name === undefined
      ? ((
          await cluster.raw<{ items: Described[] | null }>({
            path,
            query: { ...where.query, limit: MAX_OBJECTS },
          })
        ).items ?? [])
      : [await cluster.raw<Described>({ path })];
  if (objects.length === 0) return "nothing found";
  const texts = await Promise.all(
    objects.map(async (one) => `${await eventsOf(cluster, one)}\n${stringify(cleaned(one))}`),
  );
  return beginningOf(shown(texts.join("---\n")));
}
