import type { RemoteWorkspace } from "@yonder/client";
import { describeError } from "../frame/failure.ts";
import { checkClock } from "./clock.ts";
import { failed, skipped } from "./finding.ts";
import type { Finding, Step, Subject } from "./finding.ts";
import { checkHttp } from "./http.ts";
import { checkIdle } from "./idle.ts";
import { enter } from "./key.ts";
import { judgeMachine, machineSteps } from "./machine.ts";
import { findName } from "./name.ts";
import { checkPort } from "./port.ts";
import { checkTls } from "./tls.ts";
import { checkVersion } from "./version.ts";

/** Looks at everything between here and the workspace, each finding as soon as it is had. What a fault hides is skipped. */
export async function* examine(subject: Subject): AsyncGenerator<Finding> {
  const name = await findName(subject);
  yield name.finding;
  if (isFailed(name.finding)) return yield* skip("name");

  const port = await checkPort(subject, name.addresses);
  yield port;
  if (isFailed(port)) return yield* skip("port");

  const tls = await checkTls(subject);
  yield* tls;
  if (tls.some(isFailed)) return yield* skip("tls");

  const http = await checkHttp(subject);
  yield http;
  if (isFailed(http)) return yield* skip("http");

  const { finding, workspace } = await enter(subject);
  yield finding;
  if (workspace === undefined) return yield* skip("key");
  try {
    yield* inside(subject, workspace);
  } finally {
    await workspace.close();
  }
}

async function* inside(subject: Subject, workspace: RemoteWorkspace): AsyncGenerator<Finding> {
  try {
    const info = await workspace.getServerInfo();
    yield checkVersion(subject.version, info);
    yield await checkClock(workspace);
    yield await checkIdle(subject, info.limits.heartbeatIntervalMs || 10_000);
  } catch (error) {
    yield failed("version", `the server says no more of itself: ${describeError(error)}`, "See the server's log.");
    return yield* skip("version");
  }
  subject.onWait?.("waiting for the server to look at its machine");
  try {
    yield* judgeMachine(await workspace.getServerInfo({ diagnose: true }));
  } catch (error) {
    const detail = `the server's look at its machine broke off: ${describeError(error)}`;
    for (const step of machineSteps) yield skipped(step, detail);
  }
}

const order: readonly Step[] = ["name", "port", "tls", "http", "key", "version", "clock", "idle", ...machineSteps];

function* skip(after: Step): Generator<Finding> {
  for (const step of order.slice(order.indexOf(after) + 1)) {
    if (step !== "notices") yield skipped(step, `${after} comes first`);
  }
}

function isFailed({ status }: Finding): boolean {
  return status === "failed";
}
