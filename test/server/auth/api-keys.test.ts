import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { keyDigestLine, matchesAny, parseKeyFile, parseKeys } from "../../../server/src/auth/api-keys.ts";

const key = "correct-horse-battery";
const other = "staple-correct-horse";

test("a key file has a key a line, plain or as a digest, with comments and empty lines between", () => {
  const content = `\uFEFF# ours\n\n${key}\r\n  ${keyDigestLine(other)}  \n#${"x".repeat(20)}\n`;
  const { digests, hasPlain } = parseKeyFile(content, "keys");
  expect(digests).toHaveLength(2);
  expect(hasPlain).toBe(true);
  expect(matchesAny(key, digests)).toBe(true);
  expect(matchesAny(other, digests)).toBe(true);
  expect(matchesAny("x".repeat(20), digests)).toBe(false);
});

test("a file of digests alone has nothing plain", () => {
  expect(
    parseKeyFile(`# a digest\n${keyDigestLine(key).toUpperCase().replace("SHA256", "sha256")}\n`, "keys").hasPlain,
  ).toBe(false);
});

test("a digest is what sha256sum prints", () => {
  expect(keyDigestLine(key)).toBe(`sha256:${createHash("sha256").update(key).digest("hex")}`);
});

test("a digest does not open what it is the digest of", () => {
  const { digests } = parseKeys([{ text: keyDigestLine(key), place: "" }]);
  expect(matchesAny(keyDigestLine(key), digests)).toBe(false);
  expect(matchesAny(keyDigestLine(key).slice("sha256:".length), digests)).toBe(false);
});

test("no keys match nothing, the empty key included", () => {
  expect(matchesAny("", [])).toBe(false);
  expect(matchesAny(key, [])).toBe(false);
});

test.each([
  ["fifteen-letters", "keys, line 2: a key has at least 16 characters, this one has 15"],
  ["sha256:abc", 'keys, line 2: after "sha256:" come 64 hexadecimal digits, not 3 characters'],
  [`sha256:${"g".repeat(64)}`, 'keys, line 2: after "sha256:" come 64 hexadecimal digits'],
  ["a key with blanks in it", "keys, line 2: a key consists of printable ASCII without blanks"],
  ["schlüssel-mit-umlaut", "keys, line 2: a key consists of printable ASCII without blanks"],
])("a malformed line is refused by its place and never told: %s", (line, message) => {
  const parse = (): unknown => parseKeyFile(`# keys\n${line}\n`, "keys");
  expect(parse).toThrow(message);
  expect(parse).not.toThrow(line);
});
