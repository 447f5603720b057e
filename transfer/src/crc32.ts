import { crc32 } from "node:zlib";

export { crc32 };

/**
 * The CRC-32 of two runs of bytes together, from the CRC-32 of each and the length of the second: what zlib calls
 * crc32_combine, which Node does not offer.
 */
export function combineCrc32(first: number, second: number, secondLength: number): number {
  return (multiply(powerOfX(secondLength), first) ^ second) >>> 0;
}

/** The generator polynomial, its lowest power in the highest bit. */
const polynomial = 0xedb88320;

/** a × b, modulo the polynomial. */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let bit = 0x80000000; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= b;
    b = (b & 1) === 0 ? b >>> 1 : (b >>> 1) ^ polynomial;
  }
  return product >>> 0;
}

/** x to the power of 2^n, for n from 0 to 31; it repeats after that. */
const powers: number[] = [0x40000000];
for (let n = 1; n < 32; n++) powers.push(multiply(powers[n - 1] ?? 0, powers[n - 1] ?? 0));

/** x to the power of 8 × bytes, modulo the polynomial. */
function powerOfX(bytes: number): number {
  const known = remembered.get(bytes);
  if (known !== undefined) return known;
  let result = 0x80000000;
  let n = 3;
  for (let rest = bytes; rest > 0; rest = Math.floor(rest / 2), n++) {
    if (rest % 2 === 1) result = multiply(powers[n & 31] ?? 0, result);
  }
  // Nearly every chunk has the same length.
  if (remembered.size >= 64) remembered.clear();
  remembered.set(bytes, result);
  return result;
}

const remembered = new Map<number, number>();
