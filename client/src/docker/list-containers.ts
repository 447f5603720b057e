import type { Engine } from "./engine.ts";
import { workspaceLabel } from "./labels.ts";

/** A container of ours, as a list has it. */
export interface ListedContainer {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  /** As the engine has it: "running", "exited", "paused". */
  readonly state: string;
  readonly created: Date;
  readonly labels: Readonly<Record<string, string>>;
}

interface Listed {
  readonly Id: string;
  readonly Names: string[];
  readonly Image: string;
  readonly State: string;
  readonly Created: number;
  readonly Labels: Record<string, string>;
}

/** Our containers, by label, running or not. */
export async function listContainers(
  engine: Engine,
  labels: Readonly<Record<string, string>> = {},
  signal?: AbortSignal,
): Promise<ListedContainer[]> {
  const label = [workspaceLabel, ...Object.entries(labels).map(([name, value]) => `${name}=${value}`)];
  const query = { all: true, filters: JSON.stringify({ label }) };
  const listed = await engine.json<Listed[]>("GET", "/containers/json", { query, signal });
  return listed.map(({ Id, Names, Image, State, Created, Labels }) => ({
    id: Id,
    name: Names[0]?.replace(/^\//, "") ?? Id,
    image: Image,
    state: State,
    created: new Date(Created * 1_000),
    labels: Labels,
  }));
}
