/**
 * Which arguments of a command are channels that its user needs a permission for. Who unsubscribes needs none, as in Redis.
 */
import type { Arguments } from "../commands/arguments.ts";
import type { CommandInfo } from "../commands/command.ts";

export interface ChannelArguments {
  readonly indexes: readonly number[];
  /** They are patterns of channels. */
  readonly isPattern: boolean;
}

const NONE: ChannelArguments = { indexes: [], isPattern: false };

/** `all`: to the last argument; else the first alone. */
const CHANNELS: Readonly<Record<string, { readonly all: boolean; readonly isPattern: boolean }>> = {
  PUBLISH: { all: false, isPattern: false },
  SPUBLISH: { all: false, isPattern: false },
  SUBSCRIBE: { all: true, isPattern: false },
  SSUBSCRIBE: { all: true, isPattern: false },
  PSUBSCRIBE: { all: true, isPattern: true },
};

/** Of a command that begins with argument `start`. */
export function channelsOf(
  { name }: CommandInfo,
  args: Arguments,
  start: number,
): ChannelArguments {
  const found = CHANNELS[name];
  if (found === undefined) return NONE;
  const count = found.all ? args.count - start - 1 : 1;
  const indexes = Array.from({ length: count }, (_, index) => start + 1 + index);
  return { indexes, isPattern: found.isPattern };
}
