import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

const sampleMs = 400;
/** Below it, what runs beside a benchmark moves its figures less than they move by themselves. */
const mentionable = 0.1;

/** A note for readers where the machine is busy with other things right now. */
export async function noteOtherLoad(): Promise<string[]> {
  const before = times();
  await sleep(sampleMs);
  const after = times();
  const share = 1 - (after.idle - before.idle) / (after.all - before.all);
  if (!(share > mentionable)) return [];
  return [`the machine was ${Math.round(share * 100)} % busy with other things when it began; take no figure for good`];
}

function times(): { readonly idle: number; readonly all: number } {
  let [idle, all] = [0, 0];
  for (const { times: cpu } of cpus()) {
    idle += cpu.idle;
    all += cpu.user + cpu.nice + cpu.sys + cpu.irq + cpu.idle;
  }
  return { idle, all };
}
