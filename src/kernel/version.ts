/** The version of this kvdb: package.json's, which the compiler writes into the executable. */
import { version as packageVersion } from "../../package.json";

export const version: string = packageVersion;
