/**
 * The class behind cosmiconfig's `cosmiconfig()`, which its own types leave out. config-source.ts
 * says why it is used without that function. Written for version 10.0.1, which package.json pins.
 */
declare module "cosmiconfig/dist/Explorer.js" {
  import type { CosmiconfigResult, Loaders } from "cosmiconfig";

  export interface ExplorerOptions {
    readonly moduleName: string;
    readonly searchPlaces: readonly string[];
    readonly searchStrategy: "none";
    readonly ignoreEmptySearchPlaces: boolean;
    readonly loaders: Loaders;
    readonly cache: boolean;
    readonly metaConfigFilePath: null;
    readonly transform: (result: CosmiconfigResult) => CosmiconfigResult;
  }

  export class Explorer {
    constructor(options: ExplorerOptions);
    search(folder: string): Promise<CosmiconfigResult>;
    load(file: string): Promise<CosmiconfigResult>;
  }
}
