import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { blocks, root } from "./pages.ts";
import { Sandbox, sandboxHindrance } from "./sandbox.ts";

const hindrance = sandboxHindrance();

/** Longer than the minute that the configurations wait for a silent stream. */
const silence = 70;

const proxies = [
  {
    language: "nginx",
    file: "/etc/yonder/nginx.conf",
    start: "nginx -t -q -c /etc/yonder/nginx.conf\nnginx -c /etc/yonder/nginx.conf",
  },
  { language: "haproxy", file: "/etc/yonder/haproxy.cfg", start: "haproxy -D -f /etc/yonder/haproxy.cfg" },
];

describe.skipIf(hindrance !== undefined).concurrent.each(proxies)(
  "through $language, as its page configures it",
  ({ language, file, start }) => {
    test("output is seen when it is printed, uploads are of any size, and silence is no end", async () => {
      const [block, ...more] = blocks.filter((block) => block.language === language);
      if (block === undefined || more.length > 0) throw new Error(`one block of ${language} is wanted`);
      const sandbox = await Sandbox.open();
      try {
        await sandbox.run(await readFile(join(root, "test/docs/given/proxy.sh"), "utf8"));
        await sandbox.run(`cat >${file} <<'END'\n${block.text}\nEND\n${start}`);
        await sandbox.run("until (exec 3<>/dev/tcp/127.0.0.1/443) 2>/dev/null; do sleep 0.05; done");
        // One stream, which grpcurl does not take up again: a cut is an error.
        const stream = `grpcurl -cacert /etc/yonder/server.crt -H "authorization: Bearer $YONDER_API_KEY" \
        -d '{"command": "sleep ${silence}; echo awake"}' workspace.example.com:443 yonder.workspace.v1.ExecService/Exec`;
        const client = (version: string): string =>
          `"$YONDER_ROOT/node_modules/.bin/node" --conditions=@yonder/source "$YONDER_ROOT/test/fixtures/docs-through-proxy.ts" ${version} ${silence}`;
        const { stdout } = await sandbox.run(
          `(${stream}) >stream & one=$!\n(${client("2")}) >two & two=$!\n(${client("1.1")}) >three & three=$!\nwait $one\nwait $two\nwait $three\ncat two three stream`,
        );
        const [two = "", three = "", ...events] = stdout.split("\n");
        const expected = { seen: "first\nsecond\n", exitCode: 0, sameBytes: true, silent: "awake\n" };
        expect(JSON.parse(two)).toEqual(expected);
        expect(JSON.parse(three)).toEqual(expected);
        expect(events.join("\n")).toContain('"reason": "END_REASON_EXITED"');
      } finally {
        await sandbox.close();
      }
    }, 240_000);
  },
);
