import { z } from "zod";
import { messageOf } from "../lib/error.ts";
import { compileMatchers, type Labels, type LabelTest, parseMatchers } from "../lib/matchers.ts";
import { example } from "../lib/setting.ts";

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

/** A node of the routing tree, which decides the channels of an alert; read as Alertmanager reads its own. */
export const routeSetting = z.strictObject({
  matchers: example(matchers, ['notification_type="TYPE-5S"']).describe(
    "of the alert's labels, and incident_severity (P0 to P3), alert_category and notification_type",
  ),
  receivers: example(z.array(z.string().min(1)).optional(), ["security"]).describe(
    "names of channels; default: those of the enclosing route; []: no channel",
  ),
  continue: z.boolean().default(false).describe("true: the routes after this one are matched as well"),
  get routes(): z.ZodDefault<z.ZodArray<typeof routeSetting>> {
    return z.array(routeSetting).default([]);
  },
});
export type RouteSetting = z.infer<typeof routeSetting>;

/** Returns every channel that the routes name, those of nested routes included. */
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

/** Returns the deepest routes that match: the first of each level, and later ones after a match with `continue`. */
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

/** Returns the channels that are notified of an alert with these labels; null: all of them. */
export type Router = (labels: Labels) => readonly string[] | null;

/** Compiles the routes; throws `invalid`. An alert that no route matches goes to every channel, so that none is lost. */
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
