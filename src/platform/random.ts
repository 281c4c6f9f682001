/**
 * Randomness, handed in: random picks (SPOP, eviction samples, expiry) take a `Random`, so that a
 * test repeats a run from its seed. Fast and evenly spread, but predictable to whoever sees enough
 * output: never for keys, passwords or tokens, which come from node:crypto.
 */
export interface Random {
  /** 32 random bits as a signed integer, which is what the engine keeps in a register. */
  next32(): number;
  /** An integer in [0, bound), for a bound from 1 to 2^32. */
  below(bound: number): number;
}

/** Seeded from the operating system once, at start. */
export const systemRandom: Random = createXorshift(crypto.getRandomValues(new Int32Array(4)));

/** The same sequence for the same seed, on every machine and for ever: tests print their seed. */
export function seededRandom(seed: number): Random {
  const state = new Int32Array(4);
  // SplitMix32: neighbouring seeds (1, 2, 3 …) must give unrelated sequences, which a bare xorshift
  // does not.
  let mixed = seed | 0;
  for (let index = 0; index < 4; index++) {
    mixed = (mixed + 0x9e3779b9) | 0;
    let bits = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
    state[index] = bits ^ (bits >>> 16);
  }
  return createXorshift(state);
}

/** Marsaglia's xorshift128: 4 shifts a number, period 2^128 - 1. */
function createXorshift(seed: Int32Array): Random {
  let x = seed[0];
  let y = seed[1];
  let z = seed[2];
  let w = seed[3] | 1; // all four zero would stay zero for ever
  const next32 = (): number => {
    const mixed = x ^ (x << 11);
    x = y;
    y = z;
    z = w;
    w = w ^ (w >>> 19) ^ mixed ^ (mixed >>> 8);
    return w;
  };
  return {
    next32,
    // Scaling favours some results by at most bound / 2^32, far below what any user of it could
    // notice; rejecting would make the cost unbounded.
    below: (bound) => Math.floor(((next32() >>> 0) / 2 ** 32) * bound),
  };
}
