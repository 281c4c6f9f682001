/**
 * Filters in MongoDB's way of writing, from a seed: every operator, over the documents of
 * generated.ts.
 */
import type { Random } from "../../../src/platform/random.ts";
import { type Json, pick, randomPath, randomValue } from "./generated.ts";

type JsonObject = { [name: string]: Json };

export function randomFilter(random: Random, depth: number): JsonObject {
  const filter: JsonObject = {};
  for (let count = random.below(2); count >= 0; count--) {
    if (depth > 0 && random.below(4) === 0) {
      const parts = Array.from({ length: 1 + random.below(3) }, () =>
        randomFilter(random, depth - 1),
      );
      filter[pick(random, ["$and", "$or", "$nor"])] = parts;
    } else filter[randomPath(random)] = randomCondition(random, depth);
  }
  return filter;
}

function randomCondition(random: Random, depth: number): Json {
  if (random.below(5) === 0) return randomValue(random, 1);
  const operators: JsonObject = {};
  for (let count = random.below(2); count >= 0; count--) {
    Object.assign(operators, randomOperator(random, depth));
  }
  return operators;
}

const VALUED = ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"];

export function randomOperator(random: Random, depth: number): JsonObject {
  switch (random.below(depth > 0 ? 11 : 9)) {
    case 0:
    case 1:
    case 2:
      return { [pick(random, VALUED)]: randomValue(random, random.below(4) === 0 ? 1 : 0) };
    case 3:
      return { [pick(random, ["$in", "$nin"])]: values(random, random.below(7)) };
    case 4:
      return { $exists: random.below(2) === 0 };
    case 5:
      return { $type: pick(random, ["null", "number", "string", "object", "array", "bool"]) };
    case 6:
      return { $regex: pick(random, ["a", "^a", "^ab?", "b$", "^O.*o$", "^é|z", ""]) };
    case 7:
      return { $size: random.below(4) };
    case 8:
      return { $all: values(random, 1 + random.below(2)) };
    case 9:
      return { $not: randomOperator(random, depth - 1) };
    default:
      return { $elemMatch: randomElement(random, depth - 1) };
  }
}

function randomElement(random: Random, depth: number): JsonObject {
  return random.below(2) === 0 ? randomOperator(random, depth) : randomFilter(random, depth);
}

function values(random: Random, count: number): Json[] {
  return Array.from({ length: count }, () => randomValue(random, random.below(4) === 0 ? 1 : 0));
}
