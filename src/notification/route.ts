import { z } from "zod";
import { messageOf } from "../lib/error.ts";
import { compileMatchers, type Labels, type LabelTest, parseMatchers } from "../lib/matchers.ts";

const matchers = z
  .array(z.string())
  .default([])
  .superRefine((texts, check) => {
    try {
      compileMatchers(texts.flatMap(parseMatchers));
    } catch (error) {
      check.addIssue({ code: "custom", message: messageOf(error) });
    }
  });

/** Who is told of which alerts: a node of a tree, read as Alertmanager reads its own. */
export const routeSetting = z.strictObject({
  matchers,
  /** Names of channels; without, those of the route around it. None: nobody is told. */
  receivers: z.array(z.string().min(1)).optional(),
  /** Those after it are asked as well. */
  continue: z.boolean().default(false),
  get routes(): z.ZodDefault<z.ZodArray<typeof routeSetting>> {
    return z.array(routeSetting).default([]);
  },
});
export type RouteSetting = z.infer<typeof routeSetting>;

/** Every channel that routes name. */
export function receiversNamed(routes: readonly RouteSetting[]): string[] {
  return routes.flatMap((route) => [...(route.receivers ?? []), ...receiversNamed(route.routes)]);
}

type Route = { fits: LabelTest; receivers: readonly string[] | null; continue: boolean; routes: Route[] };

function compile(setting: RouteSetting, around: readonly string[] | null): Route {
  const receivers = setting.receivers ?? around;
  return {
    fits: compileMatchers(setting.matchers.flatMap(parseMatchers)),
    receivers,
    continue: setting.continue,
    routes: setting.routes.map((inner) => compile(inner, receivers)),
  };
}

/** The deepest nodes that fit: the first of each level, and those after one that says to continue. */
function fitting(route: Route, labels: Labels): Route[] {
  if (!route.fits(labels)) return [];
  const found: Route[] = [];
  for (const inner of route.routes) {
    const deeper = fitting(inner, labels);
    found.push(...deeper);
    if (deeper.length > 0 && !inner.continue) break;
  }
  return found.length > 0 ? found : [route];
}

/** Which channels are told of an alert with these labels; null: all of them. */
export type Router = (labels: Labels) => readonly string[] | null;

/** Throws `invalid`. What no route fits goes to every channel: nothing is lost for want of a route. */
export function createRouter(routes: readonly RouteSetting[]): Router {
  const root: Route = {
    fits: () => true,
    receivers: null,
    continue: false,
    routes: routes.map((route) => compile(route, null)),
  };
  return (labels) => {
    const found = fitting(root, labels).map((route) => route.receivers);
    return found.includes(null) ? null : [...new Set(found.flatMap((names) => names ?? []))];
  };
}
