/**
 * What is searched on earth: a circle or a rectangle around a position, which cells may have a part in it, and whether a
 * position is inside. The earth is a ball here, as for Redis; distances are in meters.
 *
 * Which cells, and in which order, decides the order of an answer that is not sorted; so both follow Redis's geohash_helper.c.
 */
import {
  type Cell,
  cellBeside,
  cellOf,
  type Edges,
  edgesOf,
  MAX_STEPS,
  type Position,
} from "./geohash.ts";

const EARTH_RADIUS = 6372797.560856;
/** Half of the equator, by which the number of steps is estimated. */
const MERCATOR_MAX = 20037726.37;
const RADIANS = Math.PI / 180;

/** Lengths are in the unit that was asked for. */
export type Shape =
  | { readonly kind: "circle"; readonly radius: number; readonly unit: number }
  | {
      readonly kind: "box";
      readonly width: number;
      readonly height: number;
      readonly unit: number;
    };

// ---- distances ----

export function distance(a: Position, b: Position): number {
  const v = Math.sin((b.longitude * RADIANS - a.longitude * RADIANS) / 2);
  if (v === 0) return latitudeDistance(a, b);
  const latitudeA = a.latitude * RADIANS;
  const latitudeB = b.latitude * RADIANS;
  const u = Math.sin((latitudeB - latitudeA) / 2);
  const square = u * u + Math.cos(latitudeA) * Math.cos(latitudeB) * v * v;
  return 2 * EARTH_RADIUS * Math.asin(Math.sqrt(square));
}

function latitudeDistance(a: Position, b: Position): number {
  return EARTH_RADIUS * Math.abs(b.latitude * RADIANS - a.latitude * RADIANS);
}

/** How far the position is from the center; -1 when it is outside of the shape. */
export function distanceInside(shape: Shape, center: Position, position: Position): number {
  if (shape.kind === "circle") {
    const found = distance(center, position);
    return found > shape.radius * shape.unit ? -1 : found;
  }
  if (latitudeDistance(position, center) > (shape.height * shape.unit) / 2) return -1;
  const beside = { longitude: center.longitude, latitude: position.latitude };
  if (distance(position, beside) > (shape.width * shape.unit) / 2) return -1;
  return distance(center, position);
}

// ---- cells ----

/** The cells to be searched: the one of the center first, then its neighbours as far as they are needed. */
export function cellsAround(shape: Shape, center: Position): Cell[] {
  const bounds = boundsOf(shape, center);
  let cell = cellOf(center, estimateSteps(shape, center));
  if (cell.steps > 1 && !reaches(cell, bounds)) cell = cellOf(center, cell.steps - 1);
  const edges = edgesOf(cell);
  const mayLeaveOut = cell.steps >= 2;
  const cells = NEIGHBOURS.filter(
    ([east, north]) => !(mayLeaveOut && isNeedless(edges, bounds, east, north)),
  ).map(([east, north]) => cellBeside(cell, east, north));
  // Around a small globe, neighbours are the same cell.
  return cells.filter(({ x, y }, i) => i === 0 || x !== cells[i - 1].x || y !== cells[i - 1].y);
}

/** East and north of the center, in Redis's order. */
const NEIGHBOURS: readonly (readonly [east: number, north: number])[] = [
  ...([[0, 0]] as const),
  ...([
    [0, 1],
    [0, -1],
    [1, 0],
    [-1, 0],
  ] as const),
  ...([
    [1, 1],
    [-1, 1],
    [1, -1],
    [-1, -1],
  ] as const),
];

/** The largest cells that, with their neighbours, should still be larger than the shape. */
function estimateSteps(shape: Shape, { latitude }: Position): number {
  let radius = shape.unit * radiusOf(shape);
  if (radius === 0) return MAX_STEPS;
  let steps = 1;
  for (; radius < MERCATOR_MAX; steps++) radius *= 2;
  steps -= 2;
  // Towards the poles, cells are narrower.
  if (Math.abs(latitude) > 66) steps -= Math.abs(latitude) > 80 ? 2 : 1;
  return Math.max(1, Math.min(MAX_STEPS, steps));
}

function radiusOf(shape: Shape): number {
  if (shape.kind === "circle") return shape.radius;
  const { width, height } = shape;
  return Math.sqrt((width / 2) * (width / 2) + (height / 2) * (height / 2));
}

function boundsOf(shape: Shape, { longitude, latitude }: Position): Edges {
  const height = shape.unit * (shape.kind === "circle" ? shape.radius : shape.height / 2);
  const width = shape.unit * (shape.kind === "circle" ? shape.radius : shape.width / 2);
  const latitudes = height / EARTH_RADIUS / RADIANS;
  const widest = latitude < 0 ? latitude - latitudes : latitude + latitudes;
  const longitudes = width / EARTH_RADIUS / Math.cos(widest * RADIANS) / RADIANS;
  return {
    west: longitude - longitudes,
    east: longitude + longitudes,
    south: latitude - latitudes,
    north: latitude + latitudes,
  };
}

/** Whether the neighbours of the cell reach the bounds on all sides. */
function reaches(cell: Cell, bounds: Edges): boolean {
  return (
    edgesOf(cellBeside(cell, 0, 1)).north >= bounds.north &&
    edgesOf(cellBeside(cell, 0, -1)).south <= bounds.south &&
    edgesOf(cellBeside(cell, 1, 0)).east >= bounds.east &&
    edgesOf(cellBeside(cell, -1, 0)).west <= bounds.west
  );
}

/** Whether the cell itself goes beyond the bounds on the side of this neighbour. */
function isNeedless(cell: Edges, bounds: Edges, east: number, north: number): boolean {
  return (
    (north < 0 && cell.south < bounds.south) ||
    (north > 0 && cell.north > bounds.north) ||
    (east < 0 && cell.west < bounds.west) ||
    (east > 0 && cell.east > bounds.east)
  );
}
