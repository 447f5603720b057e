import { wires } from "../helpers/wires.ts";
import { describeResume } from "./exec-resume.ts";

// The others take their time: test/slow/exec-resume.test.ts.
describeResume(wires.slice(0, 1));
