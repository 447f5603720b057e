import { launchSuite } from "../../../fixtures/processes/launch-suite.ts";

launchSuite({ posixSpawn: false });
