/**
 * Who kvdb says it is. Clients look at the server's name and version to decide what they may send, so both say which
 * Redis the command set is that of; what kvdb itself is stands in fields of its own.
 */
import { version } from "../../package.json";

export const KVDB_VERSION: string = version;
export const SERVER_NAME = "redis";
/** A promise: the commands, their replies and errors are those of this version. */
export const REDIS_VERSION = "7.0.15";
export const SERVER_MODE = "standalone";
/** The user of a connection that named none. */
export const DEFAULT_USER = "default";
