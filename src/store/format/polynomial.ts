import { randomBytes } from 'node:crypto';

/** Polynomials over GF(2) as bit sets in a bigint; the chunker's Rabin fingerprint is taken modulo one of degree 53. */
export type Polynomial = bigint;

const degreeWanted = 53;

/** A random irreducible polynomial of degree 53. */
export function randomPolynomial(): Polynomial {
  for (;;) {
    const bits = BigInt.asUintN(degreeWanted, randomBytes(8).readBigUInt64LE());
    const candidate = bits | (1n << BigInt(degreeWanted)) | 1n;
    if (isIrreducible(candidate)) return candidate;
  }
}

/** Ben-Or's test: p is irreducible when gcd(p, x^(2^i) - x mod p) is 1 for every i up to half its degree. */
export function isIrreducible(p: Polynomial): boolean {
  const degree = degreeOf(p);
  if (degree < 1) return false;
  let power = 2n;
  for (let i = 1; i <= degree >> 1; i++) {
    power = remainder(square(power), p);
    if (greatestCommonDivisor(p, power ^ 2n) !== 1n) return false;
  }
  return true;
}

/** The degree; -1 for zero. */
export function degreeOf(p: Polynomial): number {
  return p === 0n ? -1 : p.toString(2).length - 1;
}

/** a mod p. */
function remainder(a: Polynomial, p: Polynomial): Polynomial {
  const degree = degreeOf(p);
  let rest = a;
  for (let over = degreeOf(rest) - degree; over >= 0; over = degreeOf(rest) - degree) rest ^= p << BigInt(over);
  return rest;
}

/** Squaring over GF(2) puts a zero between the bits. */
function square(a: Polynomial): Polynomial {
  return BigInt(`0b${[...a.toString(2)].join('0')}`);
}

function greatestCommonDivisor(a: Polynomial, b: Polynomial): Polynomial {
  let [larger, smaller] = [a, b];
  while (smaller !== 0n) [larger, smaller] = [smaller, remainder(larger, smaller)];
  return larger;
}
