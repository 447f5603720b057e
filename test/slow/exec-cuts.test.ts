import { describeCuts } from "../e2e/exec-cuts.ts";
import { wires } from "../helpers/wires.ts";

describeCuts(wires.slice(1));
