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

/**
 * Rabin's test: p of degree n is irreducible when x^(2^n) is x modulo p, and gcd(p, x^(2^(n/q)) - x) is 1 for each prime q that divides
 * n. For degrees up to 53.
 */
export function isIrreducible(p: Polynomial): boolean {
  const degree = degreeOf(p);
  if (degree > degreeWanted) throw new RangeError(`A polynomial of degree ${degree} is too long.`);
  if (degree <= 1) return degree === 1;
  const square = openSquaring(p, degree);
  const coprimeAt = new Set(primeDivisorsOf(degree).map((prime) => degree / prime));
  let power = wordsOf(2n);
  for (let i = 1; i <= degree; i++) {
    power = square(power);
    if (coprimeAt.has(i) && greatestCommonDivisor(p, bitsOf(power) ^ 2n) !== 1n) return false;
  }
  return bitsOf(power) === 2n;
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

/** The bits of a polynomial of degree 53 at most, as two numbers: a bigint is a new object with each step. */
interface Words {
  readonly high: number;
  readonly low: number;
}

const lowBits = 27;
const lowMask = 2 ** lowBits - 1;

function wordsOf(bits: Polynomial): Words {
  return { high: Number(bits >> BigInt(lowBits)), low: Number(BigInt.asUintN(lowBits, bits)) };
}

function bitsOf({ high, low }: Words): Polynomial {
  return (BigInt(high) << BigInt(lowBits)) | BigInt(low);
}

function hasBit({ high, low }: Words, bit: number): boolean {
  return ((bit < lowBits ? low >>> bit : high >>> (bit - lowBits)) & 1) === 1;
}

function sum(one: Words, other: Words): Words {
  return { high: one.high ^ other.high, low: one.low ^ other.low };
}

/** Squares modulo p: over GF(2) the square of a sum is the sum of the squares, so those of all x^i are enough. */
function openSquaring(p: Polynomial, degree: number): (a: Words) => Words {
  const modulus = wordsOf(p);
  const timesX = ({ high, low }: Words): Words => {
    const shifted = { high: (high << 1) | (low >>> (lowBits - 1)), low: (low << 1) & lowMask };
    return hasBit(shifted, degree) ? sum(shifted, modulus) : shifted;
  };
  const squares = [{ high: 0, low: 1 }];
  for (let last = squares[0]; last !== undefined && squares.length < degree; squares.push(last))
    last = timesX(timesX(last));
  return (a) => squares.reduce((all, square, i) => (hasBit(a, i) ? sum(all, square) : all), { high: 0, low: 0 });
}

function primeDivisorsOf(n: number): number[] {
  const divisors = Array.from({ length: n - 1 }, (_, at) => at + 2).filter((one) => n % one === 0);
  return divisors.filter((one) => divisors.every((other) => other === one || one % other !== 0));
}

function greatestCommonDivisor(a: Polynomial, b: Polynomial): Polynomial {
  let [larger, smaller] = [a, b];
  while (smaller !== 0n) [larger, smaller] = [smaller, remainder(larger, smaller)];
  return larger;
}
