import { enableCompileCache, registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

// Its package.json is 179 kB of exports, which Node parses anew for each of its 108 modules: 1.5 s and 85 MB.
const LIBRARY = "drizzle-orm";

/** Finds the modules of the library without asking its package.json more than once for each name. */
function resolveOnce() {
  const known = new Map();
  registerHooks({
    resolve(specifier, context, next) {
      const { parentURL } = context;
      if (parentURL?.includes(`/node_modules/${LIBRARY}/`) && /^\.{1,2}\/.*\.js$/.test(specifier))
        return { url: new URL(specifier, parentURL).href, format: "module", shortCircuit: true };
      if (specifier !== LIBRARY && !specifier.startsWith(`${LIBRARY}/`)) return next(specifier, context);
      const found = known.get(specifier) ?? next(specifier, context);
      known.set(specifier, found);
      return { ...found, shortCircuit: true };
    },
  });
}

/**
 * Makes what is imported from here on cheap: compiled code, and TypeScript without its types, is kept in the
 * package's own `node_modules`, where nobody writes who may not change the package, and read at the next start.
 * Where that folder cannot be written everything is compiled each time.
 */
export function quickStart() {
  enableCompileCache(fileURLToPath(new URL("../node_modules/.cache/awoooi", import.meta.url)));
  resolveOnce();
}
