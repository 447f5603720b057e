import { connectionOptions } from "../connection/options.ts";
import { catalogue } from "./catalogue.ts";
import type { Catalogue } from "./catalogue.ts";
import type { OptionTable, Verb } from "./verb.ts";

/** A verb with all that there is to say of it: what completion, the pages and the man page are made of. */
export interface ManualEntry {
  /** Its name with those above it: "git log". */
  readonly words: string;
  readonly summary: string;
  /** The heading it stands under in `yonder --help`. */
  readonly heading: string;
  /** Absent for one that only has verbs below it. */
  readonly verb: Verb | undefined;
  /** The names of those below it. */
  readonly verbs: readonly string[];
}

/** All verbs in the order of `yonder --help`, each before those below it; without those that people do not call. */
export async function loadManual(): Promise<readonly ManualEntry[]> {
  const entries: ManualEntry[] = [];
  for (const [heading, verbs] of catalogue) entries.push(...(await entriesOf(verbs, heading, "")));
  return entries;
}

async function entriesOf(verbs: Catalogue, heading: string, prefix: string): Promise<ManualEntry[]> {
  const entries: ManualEntry[] = [];
  for (const [name, { summary, load, verbs: below = {}, hidden }] of Object.entries(verbs)) {
    if (hidden) continue;
    const words = `${prefix}${name}`;
    const verb = load && (await load()).verb;
    entries.push({ words, summary, heading: heading.replace(/:$/, ""), verb, verbs: Object.keys(below) });
    entries.push(...(await entriesOf(below, heading, `${words} `)));
  }
  return entries;
}

/** The options of a verb that are for people, those of the connection after its own. */
export function optionsOf(verb: Verb | undefined): OptionTable {
  const all = { ...verb?.options, ...(verb?.connects ? connectionOptions : {}) };
  return Object.fromEntries(Object.entries(all).filter(([, { hidden }]) => !hidden));
}
