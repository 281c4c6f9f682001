/** Where a plugin's module came from, so that a worker, which shares no objects, can load it again. */
export type PluginSource =
  | { readonly kind: "builtin"; readonly name: string }
  /** A path or package, as the configuration in this folder names it. */
  | { readonly kind: "file"; readonly use: string; readonly folder: string }
  /** Handed over by a program as an object: nobody else can load it. */
  | { readonly kind: "given" };
