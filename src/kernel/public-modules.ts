/**
 * Makes `import … from "kvdb"` work in files that kvdb imports at run time: a plugin, a `.ts`
 * configuration. In the executable there is no package `kvdb` on disk, so the modules are virtual,
 * and they are the very modules that kvdb runs on: a plugin's `KvdbError` is kvdb's own.
 * package.json's exports list the same names for editors and tests.
 */
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
      builder.module("kvdb", async () => ({
        exports: await import("../plugin.ts"),
        loader: "object",
      }));
      builder.module("kvdb/resp", async () => ({
        exports: await import("../resp/index.ts"),
        loader: "object",
      }));
      builder.module("kvdb/shell", async () => ({
        exports: await import("../shell/index.ts"),
        loader: "object",
      }));
    },
  });
}
