/**
 * Makes `import … from "kvdb"` work in files that kvdb imports at run time: a plugin, a `.ts`
 * configuration. In the executable there is no package `kvdb` on disk, so the modules are virtual,
 * and they are the very modules that kvdb runs on: a plugin's `KvdbError` is kvdb's own.
 * package.json's exports list the same names for editors and tests.
 */
const modules: Readonly<Record<string, () => Promise<Record<string, unknown>>>> = {
  kvdb: () => import("../plugin.ts"),
  "kvdb/persistence": () => import("../persistence/index.ts"),
  "kvdb/resp": () => import("../resp/index.ts"),
  "kvdb/rdb": () => import("../rdb/index.ts"),
  "kvdb/shell": () => import("../shell/index.ts"),
};

/** Their names. */
export const publicModules: readonly string[] = Object.keys(modules);

let registered = false;

/**
 * Called before the first import of a file from outside; costs nothing when nothing from outside is
 * imported.
 */
export function registerPublicModules(): void {
  if (registered) return;
  registered = true;
  Bun.plugin({
    name: "kvdb public modules",
    setup(builder) {
      for (const [name, load] of Object.entries(modules)) {
        builder.module(name, async () => ({ exports: await load(), loader: "object" }));
      }
    },
  });
}
