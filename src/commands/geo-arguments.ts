/** Positions, lengths and units as arguments, refused in Redis's words; and how positions and distances are answered. */
import type { Arguments } from "./arguments.ts";
import { CommandError, notAFloat } from "./command-error.ts";
import { isOnMap, type Position } from "./geohash.ts";
import type { Reply } from "./reply.ts";

const DISTANCE_PLACES = 4;
const POSITION_PLACES = 17;
const ERROR_PLACES = 6;

/** Longitude and latitude from arguments `index` and `index + 1`. */
export function positionAt(args: Arguments, index: number): Position {
  const longitude = args.float(index);
  const latitude = args.float(index + 1);
  if (Number.isNaN(longitude) || Number.isNaN(latitude)) throw notAFloat();
  const position = { longitude, latitude };
  if (!isOnMap(position)) {
    const pair = `${errorNumber(longitude)},${errorNumber(latitude)}`;
    throw new CommandError("ERR", `invalid longitude,latitude pair ${pair}`);
  }
  return position;
}

/** As C's "%f" prints it. */
function errorNumber(value: number): string {
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  if (Math.abs(value) < 1e21) return value.toFixed(ERROR_PLACES);
  return `${BigInt(value)}.${"0".repeat(ERROR_PLACES)}`;
}

/** A length; `what` is what it is called when it is no number. */
export function lengthOf(args: Arguments, index: number, what: string): number {
  const length = args.float(index);
  if (Number.isNaN(length)) throw new CommandError("ERR", `need numeric ${what}`);
  return length;
}

/** Meters of the unit under argument `index`. */
export function unitAt(args: Arguments, index: number): number {
  if (args.is(index, "M")) return 1;
  if (args.is(index, "KM")) return 1000;
  if (args.is(index, "FT")) return 0.3048;
  if (args.is(index, "MI")) return 1609.34;
  throw new CommandError("ERR", "unsupported unit provided. please use M, KM, FT, MI");
}

export function replyDistance(distance: number, reply: Reply): void {
  reply.text(distance.toFixed(DISTANCE_PLACES));
}

export function replyPosition({ longitude, latitude }: Position, reply: Reply): void {
  reply.array(2);
  reply.double(longitude, allPlaces(longitude));
  reply.double(latitude, allPlaces(latitude));
}

/** As C's "%.17f" prints it, without the zeros at the end. */
function allPlaces(value: number): string {
  const text = value.toFixed(POSITION_PLACES).replace(/\.?0+$/, "");
  return text === "-0" ? "0" : text;
}
