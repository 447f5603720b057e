import { expect, test } from "vitest";
import { checkExposure, isLoopback } from "../../../server/src/auth/exposure.ts";

const nothing = { hasKey: false, noAuth: false, hasTls: false, allowCleartext: false };

test.each(["127.0.0.1", "127.1.2.3", "localhost", "::1", undefined])("%s needs neither key nor TLS", async (host) => {
  await checkExposure({ ...nothing, host });
});

test.each(["0.0.0.0", "::", "10.0.0.1", "::ffff:10.0.0.1", "no-such-host.invalid"])(
  "%s is not loopback",
  async (host) => {
    expect(await isLoopback(host)).toBe(false);
  },
);

test("off loopback it wants a key and TLS, and says what to do about each", async () => {
  const check = async (with_: object): Promise<void> => await checkExposure({ ...nothing, host: "0.0.0.0", ...with_ });
  await expect(check({})).rejects.toThrow(
    /without a key[^]*--api-key-file[^]*--no-auth[^]*without TLS[^]*--allow-cleartext/,
  );
  await expect(check({ hasKey: true })).rejects.toThrow(/^Refusing to listen on 0\.0\.0\.0 without TLS/);
  await expect(check({ hasTls: true })).rejects.toThrow(/^Refusing to listen on 0\.0\.0\.0 without a key/);
  await expect(check({ allowCleartext: true })).rejects.toThrow(/without a key/);
  await expect(check({ noAuth: true })).rejects.toThrow(/without TLS/);
  await check({ hasKey: true, hasTls: true });
  await check({ hasKey: true, allowCleartext: true });
  await check({ noAuth: true, allowCleartext: true });
});

test("a key and --no-auth contradict each other", async () => {
  await expect(checkExposure({ ...nothing, host: "127.0.0.1", hasKey: true, noAuth: true })).rejects.toThrow(
    /only one of the two/,
  );
});
