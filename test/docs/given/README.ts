// What the program presumes, in words before it.
export const apiKey = process.env["YONDER_API_KEY"] ?? "";
export const token = "a token for the remote";
