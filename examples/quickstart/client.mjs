// What an application does: it knows an address and a key, and nothing else of the server.
import { fileURLToPath } from "node:url";
import { RemoteWorkspace } from "@yonder/client";

const { YONDER_HOST: host = "", YONDER_API_KEY: apiKey = "" } = process.env;
await using workspace = await RemoteWorkspace.connect({ host, apiKey });

console.log("1. Output comes as it is printed:");
const startMs = performance.now();
const result = await workspace.executeCommand("for i in 1 2 3; do echo line $i; sleep 0.3; done; ls", {
  onStdout: (text) => {
    for (const line of text.trimEnd().split("\n")) console.log(`   ${seconds(performance.now() - startMs)}  ${line}`);
  },
});
console.log(
  `   exit code ${result.exitCode} after ${seconds(result.durationMs)}, ${result.stdout.length} characters\n`,
);

console.log("2. A timeout keeps what was printed, and takes the whole tree with it:");
const late = await workspace.executeCommand("echo begun; sleep 60; echo never", { timeoutMs: 500 });
console.log(`   ${late.reason}, exit code ${late.exitCode}, output so far: ${JSON.stringify(late.stdout)}\n`);

console.log("3. A command outlives its client and is found again by its id:");
const handle = await workspace.spawn("sleep 0.3; git log --format=%s", { execId: "tool-call-1" });
handle.detach();
const again = await workspace.attach("tool-call-1");
for await (const line of again.lines()) console.log(`   git log: ${line}`);
const end = await again.wait();
console.log(`   ${end.reason}, exit code ${end.exitCode}\n`);

console.log("4. Files and trees go in and out whole:");
const up = await workspace.fileUpload(fileURLToPath(import.meta.url), "moved/client.mjs");
const down = await workspace.fileDownload("moved/client.mjs");
console.log(`   ${up.fileSize} bytes up, ${down.fileSize} bytes down`);
const tree = await workspace.fs.uploadTree(fileURLToPath(new URL(".", import.meta.url)), "moved/tree");
console.log(`   ${tree.files} files as a tree; now there: ${(await workspace.fs.readdir("moved/tree")).join(", ")}`);

console.log("\n5. What has changed, and how:");
await workspace.fs.writeFile("hello.txt", "hello, world\n");
for (const { status, path } of await workspace.gitChanges(".")) console.log(`   ${status.padEnd(7)} ${path}`);
const diff = await workspace.gitDiff("hello.txt");
console.log(`   hello.txt: ${JSON.stringify(diff.original)} → ${JSON.stringify(diff.modified)}`);

/** @param {number} ms */
function seconds(ms) {
  return `${(ms / 1_000).toFixed(1)} s`;
}
