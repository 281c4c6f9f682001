/**
 * Positions on earth as scores of a sorted set: Redis's geohash of 52 bits. The globe is cut in halves by longitude and by
 * latitude in turn, 26 times each; so positions that begin alike are near each other, and a cell is a range of scores.
 *
 *   score   bit 2n: bit n of the latitude's cell number, bit 2n + 1: bit n of the longitude's
 *
 * Cell numbers have 26 bits (27 at the very edge), so two halves of 32 bits make the score: no 64-bit arithmetic.
 */

const LONGITUDE_MAX = 180;
/** Where the Mercator projection is a square. */
const LATITUDE_MAX = 85.05112878;
export const MAX_STEPS = 26;
const WORD = 2 ** 32;
const HALF_OF_64_BITS = 2 ** 63;
const BASE_32 = "0123456789bcdefghjkmnpqrstuvwxyz";

export interface Position {
  readonly longitude: number;
  readonly latitude: number;
}

/** A cell: its numbers by longitude and latitude, where each is cut into 2^steps. */
export interface Cell {
  readonly x: number;
  readonly y: number;
  readonly steps: number;
}

export function isOnMap({ longitude, latitude }: Position): boolean {
  return Math.abs(longitude) <= LONGITUDE_MAX && Math.abs(latitude) <= LATITUDE_MAX;
}

export function cellOf({ longitude, latitude }: Position, steps: number): Cell {
  return {
    x: cellNumber(longitude, LONGITUDE_MAX, steps),
    y: cellNumber(latitude, LATITUDE_MAX, steps),
    steps,
  };
}

function cellNumber(degrees: number, most: number, steps: number): number {
  return Math.floor(((degrees + most) / (2 * most)) * 2 ** steps);
}

/** The cell that many steps east and north, around the globe where it ends. */
export function cellBeside({ x, y, steps }: Cell, east: number, north: number): Cell {
  const mask = 2 ** steps - 1;
  return {
    x: east === 0 ? x : (x + east) & mask,
    y: north === 0 ? y : (y + north) & mask,
    steps,
  };
}

export interface Edges {
  readonly west: number;
  readonly east: number;
  readonly south: number;
  readonly north: number;
}

export function edgesOf({ x, y, steps }: Cell): Edges {
  return {
    west: edge(x, LONGITUDE_MAX, steps),
    east: edge(x + 1, LONGITUDE_MAX, steps),
    south: edge(y, LATITUDE_MAX, steps),
    north: edge(y + 1, LATITUDE_MAX, steps),
  };
}

function edge(number: number, most: number, steps: number): number {
  return -most + (number / 2 ** steps) * (2 * most);
}

// ---- scores ----

/** The lowest score of the cell; that of the next one is `scoresIn` higher. */
export function firstScore({ x, y, steps }: Cell): number {
  const low = interleave(y & 0xffff, x & 0xffff);
  const high = interleave(y >>> 16, x >>> 16);
  return (high * WORD + low) * scoresIn(steps);
}

/** How many scores a cell has. */
export function scoresIn(steps: number): number {
  return 4 ** (MAX_STEPS - steps);
}

export function scoreOfPosition(position: Position): number {
  return firstScore(cellOf(position, MAX_STEPS));
}

/** The middle of the cell that the score stands for. */
export function positionOf(score: number): Position {
  const whole = wholeOf(score);
  const high = Math.floor(whole / WORD);
  const low = (whole - high * WORD) >>> 0;
  const x = gather(high >>> 1) * 0x10000 + gather(low >>> 1);
  const y = gather(high) * 0x10000 + gather(low);
  const { west, east, south, north } = edgesOf({ x, y, steps: MAX_STEPS });
  return {
    longitude: clamp((west + east) / 2, LONGITUDE_MAX),
    latitude: clamp((south + north) / 2, LATITUDE_MAX),
  };
}

/** A score that is no geohash is taken for one: as the 64 bits that Redis's processors make of it. */
function wholeOf(score: number): number {
  if (score >= WORD * WORD) return 0;
  return score < -HALF_OF_64_BITS ? HALF_OF_64_BITS : Math.trunc(score);
}

function clamp(degrees: number, most: number): number {
  return Math.max(-most, Math.min(most, degrees));
}

/** Bits of two numbers of 16 bits in turn, those of `even` first, from the lowest on. */
function interleave(even: number, odd: number): number {
  return (spread(even) | (spread(odd) << 1)) >>> 0;
}

function spread(bits: number): number {
  let spread = (bits | (bits << 8)) & 0x00ff00ff;
  spread = (spread | (spread << 4)) & 0x0f0f0f0f;
  spread = (spread | (spread << 2)) & 0x33333333;
  return (spread | (spread << 1)) & 0x55555555;
}

/** The even bits of 32 beside each other. */
function gather(bits: number): number {
  let gathered = bits & 0x55555555;
  gathered = (gathered | (gathered >>> 1)) & 0x33333333;
  gathered = (gathered | (gathered >>> 2)) & 0x0f0f0f0f;
  gathered = (gathered | (gathered >>> 4)) & 0x00ff00ff;
  return (gathered | (gathered >>> 8)) & 0xffff;
}

/** The text that geohash.org knows, of 11 characters, the last one without meaning: 52 bits make ten. */
export function geohashText(score: number): string {
  const { longitude, latitude } = positionOf(score);
  // Elsewhere latitudes go from pole to pole.
  const x = cellNumber(longitude, LONGITUDE_MAX, MAX_STEPS);
  const y = cellNumber(latitude, 90, MAX_STEPS);
  const bits = firstScore({ x, y, steps: MAX_STEPS });
  let text = "";
  for (let i = 1; i <= 10; i++) text += BASE_32[Math.floor(bits / 2 ** (52 - 5 * i)) % 32];
  return `${text}0`;
}
