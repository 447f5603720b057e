import type { Engine } from "./engine.ts";
import { EngineRefusal } from "./engine-errors.ts";

/** Ends a container at once and removes it with its volumes. One that is gone is fine. */
export async function removeContainer(engine: Engine, id: string): Promise<void> {
  try {
    await engine.json("DELETE", `/containers/${id}`, { query: { force: true, v: true } });
  } catch (error) {
    // 409: somebody else removes it.
    if (error instanceof EngineRefusal && (error.status === 404 || error.status === 409)) return;
    throw error;
  }
}
