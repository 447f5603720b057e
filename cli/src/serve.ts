export { serve } from "@yonder/server";
