import { wires } from "../helpers/wires.ts";
import { describeCuts } from "./exec-cuts.ts";

// The others take their time: test/slow/exec-cuts.test.ts.
describeCuts(wires.slice(0, 1));
