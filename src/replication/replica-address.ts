/** Where a replica is to be reached: as it has announced, else where its connection comes from. */
import type { Session } from "../session/session.ts";
import type { Announced } from "./follower.ts";

export interface ReplicaAddress {
  readonly ip: string;
  /** Where it listens; 0: it has not said. */
  readonly port: number;
}

export function addressOf({ client }: Session, { ip, port }: Announced): ReplicaAddress {
  if (ip !== "") return { ip, port };
  const { address } = client;
  const colon = address.lastIndexOf(":");
  if (address.startsWith("/") || colon < 0) return { ip: address, port };
  return { ip: address.slice(0, colon).replace(/^\[|\]$/g, ""), port };
}
